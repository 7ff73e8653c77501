#include "transcribe/speech.h"

#include <algorithm>
#include <utility>

#include "transcribe/clips.h"
#include "transcribe/segments.h"

namespace whisper_s4y {
namespace {

// faster-whisper transcribe.py, BatchedInferencePipeline: short pauses part, so that windows can be
// filled up to their end.
constexpr int kBatchedSilenceMs = 160;

VadOptions vad_options(const TranscribeOptions& options) {
  VadOptions vad = options.vad_options.value_or(VadOptions());
  if (options.batch_size > 0) {
    if (!options.vad_options) vad.min_silence_duration_ms = kBatchedSilenceMs;
    vad.max_speech_duration_s = std::min(vad.max_speech_duration_s, kLongestChunk);
  }
  return vad;
}

}  // namespace

std::vector<SpeechSegment> find_speech(std::span<const float> speech_probs, int64_t audio_length,
                                       const TranscribeOptions& options) {
  return within_clips(get_speech_timestamps(speech_probs, audio_length, vad_options(options)),
                      audio_length, options);
}

// A segment that two clips cut is two.
std::vector<SpeechSegment> within_clips(std::span<const SpeechSegment> segments,
                                        int64_t audio_length, const TranscribeOptions& options) {
  if (options.clip_timestamps.empty()) return {segments.begin(), segments.end()};
  std::vector<SpeechSegment> result;
  const auto frames = static_cast<int>(audio_length / kHopLength);
  for (const Clip& clip : clips_of(options.clip_timestamps, frames)) {
    for (const SpeechSegment& segment : segments) {
      const SpeechSegment part = {
          .start = std::max(segment.start, int64_t{clip.begin} * kHopLength),
          .end = std::min(segment.end, int64_t{clip.end} * kHopLength)};
      if (part.size() > 0) result.push_back(part);
    }
  }
  return result;
}

SoundSpans joined_spans(std::span<const SpeechSegment> speech) {
  std::vector<SoundSpan> spans;
  int64_t samples = 0;
  for (const SpeechSegment& segment : speech) {
    const double begin = static_cast<double>(samples) / kSampleRate;
    samples += segment.size();
    spans.push_back({begin, static_cast<double>(samples) / kSampleRate});
  }
  return SoundSpans(std::move(spans));
}

void restore_times(Segment& segment, const SpeechTimestampsMap& map) {
  segment.seek = frame_at(map.original_time(segment.seek / kFramesPerSecond));
  const size_t part = map.segment_at((segment.start + segment.end) / 2);
  segment.start = map.original_time(segment.start, part);
  segment.end = map.original_time(segment.end, part);
  for (Word& word : segment.words) {
    word.start = map.original_time(word.start, part);
    word.end = map.original_time(word.end, part);
  }
}

}  // namespace whisper_s4y
