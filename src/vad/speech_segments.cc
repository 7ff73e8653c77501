#include "vad/speech_segments.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "common/boundary.h"
#include "common/fail.h"
#include "vad/speech_tracker.h"
#include "whisper_s4y/audio.h"

namespace whisper_s4y {
namespace {

/// Adds `padding` at both ends of every segment; shorter silences are shared by their neighbours.
void pad_segments(std::vector<SpeechSegment>& segments, int64_t padding, int64_t audio_length) {
  if (segments.empty()) return;
  segments.front().start = std::max<int64_t>(0, segments.front().start - padding);
  for (size_t i = 0; i + 1 < segments.size(); ++i) {
    const int64_t silence = segments[i + 1].start - segments[i].end;
    const int64_t share = silence < 2 * padding ? silence / 2 : padding;
    segments[i].end = std::min(audio_length, segments[i].end + share);
    segments[i + 1].start -= share;
  }
  segments.back().end = std::min(audio_length, segments.back().end + padding);
}

// To hundredths, through decimals: as Python's round() does.
double rounded(double seconds) { return std::stod(fmt::format("{:.2f}", seconds)); }

}  // namespace

std::vector<SpeechSegment> get_speech_timestamps(std::span<const float> speech_probs,
                                                 int64_t audio_length, const VadOptions& options) {
  SpeechTracker tracker(options);
  std::vector<SpeechSegment> segments;
  for (const float prob : speech_probs) tracker.next(prob, segments);
  tracker.finish(audio_length, segments);
  pad_segments(segments, int64_t{kSampleRate} * options.speech_pad_ms / 1000, audio_length);
  return segments;
}

std::vector<SpeechSegment> get_speech_timestamps(SpeechDetector& detector, Span<const float> audio,
                                                 const VadOptions& options) {
  return with_errors([&] {
    options.validate();
    return get_speech_timestamps(detector.speech_probs(audio), static_cast<int64_t>(audio.size()),
                                 options);
  });
}

std::vector<SpeechChunk> collect_chunks(std::span<const SpeechSegment> segments,
                                        int64_t max_duration) {
  std::vector<SpeechChunk> chunks;
  int64_t total = 0;
  for (const SpeechSegment& segment : segments) {
    if (chunks.empty() || chunks.back().duration + segment.size() > max_duration) {
      chunks.push_back({.segments = {}, .offset = total});
    }
    chunks.back().segments.push_back(segment);
    chunks.back().duration += segment.size();
    total += segment.size();
  }
  return chunks;
}

std::vector<float> collect_audio(std::span<const float> audio,
                                 std::span<const SpeechSegment> segments) {
  std::vector<float> speech;
  for (const SpeechSegment& segment : segments) {
    const auto part =
        audio.subspan(static_cast<size_t>(segment.start), static_cast<size_t>(segment.size()));
    speech.insert(speech.end(), part.begin(), part.end());
  }
  return speech;
}

SpeechTimestampsMap::SpeechTimestampsMap(std::span<const SpeechSegment> segments)
    : segments_(segments.begin(), segments.end()) {
  if (segments.empty())
    fail(ErrorCode::invalid_argument, "Without speech there are no times to map.");
  int64_t previous_end = 0;
  int64_t silence = 0;
  for (const SpeechSegment& segment : segments) {
    silence += segment.start - previous_end;
    previous_end = segment.end;
    ends_.push_back(segment.end - silence);
    silence_before_.push_back(static_cast<double>(silence) / kSampleRate);
  }
}

size_t SpeechTimestampsMap::segment_at(double seconds, bool is_end) const {
  const auto sample = static_cast<int64_t>(seconds * kSampleRate);
  const auto found =
      is_end ? std::ranges::lower_bound(ends_, sample) : std::ranges::upper_bound(ends_, sample);
  return std::min(static_cast<size_t>(found - ends_.begin()), ends_.size() - 1);
}

double SpeechTimestampsMap::original_time(double seconds, bool is_end) const {
  return rounded(silence_before_.at(segment_at(seconds, is_end)) + seconds);
}

double SpeechTimestampsMap::original_time(double seconds, size_t index) const {
  const SpeechSegment& segment = segments_.at(index);
  return std::clamp(rounded(silence_before_[index] + seconds),
                    static_cast<double>(segment.start) / kSampleRate,
                    static_cast<double>(segment.end) / kSampleRate);
}

}  // namespace whisper_s4y
