#include "transcribe/speech.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "transcribe/segments.h"

namespace whisper_s4y {
namespace {

// faster-whisper transcribe.py, BatchedInferencePipeline: short pauses part, so that windows can be
// filled up to their end.
constexpr int kBatchedSilenceMs = 160;

constexpr int64_t kHeardAtOnce = 32;  // chunks, about a second: what Silero VAD hears at once

}  // namespace

VadOptions speech_options(const TranscribeOptions& options) {
  VadOptions vad = options.vad_options.value_or(VadOptions());
  if (options.batch_size > 0) {
    if (!options.vad_options) vad.min_silence_duration_ms = kBatchedSilenceMs;
    vad.max_speech_duration_s = std::min(vad.max_speech_duration_s, kLongestChunk);
  }
  return vad;
}

SpeechListener::SpeechListener(SoundBuffer& sound, SpeechDetector& detector)
    : sound_(sound), detector_(detector), samples_(kHeardAtOnce * kVadChunk), probs_(kHeardAtOnce) {
  detector_.reset();
}

// As SpeechDetector::speech_probs() hears a recording.
bool SpeechListener::hear() {
  if (is_over_) return false;
  const auto hear_chunks = [&](size_t chunks) {
    const auto samples = std::span(samples_).first(chunks * kVadChunk);
    const auto probs = std::span(probs_).first(chunks);
    sound_.copy(heard_, heard_ + static_cast<int64_t>(samples.size()), samples.data());
    detector_.hear(samples, probs);
    heard_ += static_cast<int64_t>(samples.size());
    for (const Listening& one : listeners_) {
      for (const float prob : probs) one.segmenter->next(prob);
    }
  };
  if (sound_.reaches(heard_ + kHeardAtOnce * kVadChunk)) {
    hear_chunks(kHeardAtOnce);
  } else {
    const int64_t size = *sound_.size();
    hear_chunks(static_cast<size_t>((size - heard_) / kVadChunk));
    hear_chunks(1);  // the rest, and silence
    heard_ = size;
    is_over_ = true;
    for (const Listening& one : listeners_) one.segmenter->finish(size);
  }
  for (const Listening& one : listeners_) {
    if (one.then) one.then();
  }
  return true;
}

ClipSamples::ClipSamples(std::span<const double> clip_timestamps, const SoundBuffer& sound)
    : sound_(sound),
      clips_(clips_of(clip_timestamps, kOpenEnd)),
      is_whole_(clip_timestamps.empty()) {}

SpeechSegment ClipSamples::operator[](size_t index) const {
  int64_t end = int64_t{clips_[index].end} * kHopLength;
  if (const auto size = sound_.size()) {
    end = std::min(end, is_whole_ ? *size : *size / kHopLength * kHopLength);
  }
  return {.start = int64_t{clips_[index].begin} * kHopLength, .end = end};
}

std::optional<SpeechSegment> ClippedSpeech::next() {
  for (; clip_ < clips_.size(); ++clip_, segment_ = 0) {
    const auto& segments = segmenter_.segments();
    for (;;) {
      while (segment_ >= segments.size() && segmenter_.least_start() < clips_[clip_].end &&
             listener_.hear()) {
        continue;
      }
      const SpeechSegment clip = clips_[clip_];
      if (segment_ >= segments.size() || segments[segment_].start >= clip.end) break;
      const SpeechSegment part = {.start = std::max(segments[segment_].start, clip.start),
                                  .end = std::min(segments[segment_].end, clip.end)};
      ++segment_;
      if (part.size() > 0) return part;
    }
  }
  return std::nullopt;
}

JoinedSpeech::JoinedSpeech(SoundBuffer& sound, SpeechListener& listener,
                           const SpeechSegmenter& segmenter, const ClipSamples& clips,
                           std::function<bool()> goes_on)
    : SoundBuffer(kKeptSound),
      sound_(sound),
      listener_(listener),
      segmenter_(segmenter),
      clips_(clips),
      goes_on_(std::move(goes_on)) {}

void JoinedSpeech::enter(size_t clip, size_t segment) {
  clip_ = clip;
  segment_ = segment;
  taken_ = -1;
}

void JoinedSpeech::restart() {
  enter(0, 0);
  given_ = 0;
}

bool JoinedSpeech::fill() {
  while (clip_ < clips_.size()) {
    const SpeechSegment clip = clips_[clip_];
    const auto& segments = segmenter_.segments();
    const bool has_ended = segment_ < segments.size();
    const auto segment = has_ended ? std::optional(segments[segment_]) : segmenter_.current();
    const int64_t least_start = segment ? segment->start : segmenter_.least_start();
    if (least_start >= clip.end || (!segment && listener_.is_over())) {
      enter(clip_ + 1, 0);
      continue;
    }
    if (segment) {
      // The recording may end within the last frame, and with it the clip.
      const int64_t certain = has_ended ? segment->end : segment->end - kHopLength;
      const int64_t begin = std::max({segment->start, clip.start, taken_});
      const int64_t end = std::min(certain, clip.end);
      if (begin < end) {
        give(begin, std::min(end, begin + kSampleRate));
        return true;
      }
      if (has_ended) {
        enter(clip_, segment_ + 1);
        continue;
      }
      if (certain >= clip.end) {
        enter(clip_ + 1, 0);
        continue;
      }
    }
    if (!goes_on_()) return false;
    listener_.hear();
  }
  return false;
}

void JoinedSpeech::give(int64_t begin, int64_t end) {
  const bool is_new = taken_ < 0;
  taken_ = end;
  append(sound_.copy(begin, end));
  if (given_ + end - begin > known_) {
    const double known = static_cast<double>(given_ + end - begin) / kSampleRate;
    if (!is_new || known_ > given_) {
      map_->extend(end);
      spans_.extend(known);
    } else {
      const SpeechSegment part = {.start = begin, .end = end};
      map_ ? map_->add(part) : void(map_.emplace(std::span(&part, 1)));
      spans_.add({static_cast<double>(given_) / kSampleRate, known});
    }
    known_ = given_ + end - begin;
  }
  given_ += end - begin;
}

// The speech in so much of the recording as is heard ahead without leaving anything out.
int64_t JoinedSpeech::look_ahead(int64_t position) {
  while (hear_ahead(position)) continue;
  return std::max(position, heard());
}

bool JoinedSpeech::hear_ahead(int64_t position) {
  if (!reaches(position)) return false;
  const int64_t until = sound_.look_ahead(map_->original_sample(position - 1) + 1);
  return listener_.heard() < until && fill();
}

int64_t kept_for_speech(const VadOptions& options) {
  // Segments are taken as they are found; what may yet be left out must wait.
  constexpr double kAtLeast = 60;  // seconds
  constexpr double kAtMost = 1e7;  // seconds: 115 days
  const double longest = std::isfinite(options.max_speech_duration_s)
                             ? std::min(options.max_speech_duration_s, kAtMost)
                             : 0;
  const int ms =
      options.min_silence_duration_ms + options.min_speech_duration_ms + 2 * options.speech_pad_ms;
  return static_cast<int64_t>((kAtLeast + longest + ms / 1000.0) * kSampleRate);
}

Transcript without_speech(const TranscribeOptions& options, const ModelInfo& info) {
  Transcript transcript;
  if (options.language || !info.generation.is_multilingual) {
    transcript.language = options.language.value_or("en");
    transcript.language_probability = 1.0F;
  }
  return transcript;
}

SoundSpans joined_spans(std::span<const SpeechSegment> speech) {
  SoundSpans spans;
  int64_t samples = 0;
  for (const SpeechSegment& segment : speech) {
    const double begin = static_cast<double>(samples) / kSampleRate;
    samples += segment.size();
    spans.add({begin, static_cast<double>(samples) / kSampleRate});
  }
  return spans;
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
