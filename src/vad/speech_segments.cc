#include "vad/speech_segments.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "common/boundary.h"
#include "common/cancellation.h"
#include "common/fail.h"
#include "vad/speech_tracker.h"
#include "whisper_s4y/audio.h"

namespace whisper_s4y {
namespace {

// To hundredths, through decimals: as Python's round() does.
double rounded(double seconds) { return std::stod(fmt::format("{:.2f}", seconds)); }

/// A detector that can be stopped while it hears.
class StoppableDetector final : public SpeechDetector {
 public:
  StoppableDetector(SpeechDetector& detector, Cancellation& cancellation)
      : detector_(detector), cancellation_(cancellation) {}

  void reset() override { detector_.reset(); }

  void hear(Span<const float> chunks, Span<float> speech_probs) override {
    constexpr size_t kAtOnce = 128;  // chunks, some milliseconds of work
    for (size_t done = 0; done < speech_probs.size(); done += kAtOnce) {
      cancellation_.check();
      const size_t count = std::min(kAtOnce, speech_probs.size() - done);
      detector_.hear({chunks.data() + done * kVadChunk, count * kVadChunk},
                     {speech_probs.data() + done, count});
    }
  }

 private:
  SpeechDetector& detector_;
  Cancellation& cancellation_;
};

}  // namespace

SpeechSegmenter::SpeechSegmenter(const VadOptions& options)
    : tracker_(options), padding_(int64_t{kSampleRate} * options.speech_pad_ms / 1000) {}

// What each side gets of the silence between two segments.
int64_t SpeechSegmenter::share(int64_t silence) const {
  return silence < 2 * padding_ ? silence / 2 : padding_;
}

// Where a segment begins with its padding.
int64_t SpeechSegmenter::padded(int64_t start) const {
  return end_before_ ? start - share(start - *end_before_) : std::max<int64_t>(0, start - padding_);
}

void SpeechSegmenter::settle(int64_t padding) {
  segments_.push_back({.start = last_->start, .end = last_->end + padding});
  last_.reset();
}

void SpeechSegmenter::take_ended() {
  for (const SpeechSegment& segment : ended_) {
    const int64_t start = padded(segment.start);
    if (last_) settle(segment.start - start);
    last_ = {.start = start, .end = segment.end};
    end_before_ = segment.end;
  }
  ended_.clear();
}

void SpeechSegmenter::next(float speech_prob) {
  tracker_.next(speech_prob, ended_);
  position_ += kVadChunk;
  take_ended();
  if (!last_) return;
  // Speech that may be dropped still tells nothing, unless it is far away.
  const int64_t start = tracker_.start().value_or(position_);
  const bool is_far = start - last_->end >= 2 * padding_;
  if (is_far || tracker_.least_end()) settle(share(start - last_->end));
}

void SpeechSegmenter::finish(int64_t audio_length) {
  tracker_.finish(audio_length, ended_);
  take_ended();
  if (last_) settle(padding_);
  if (!segments_.empty()) segments_.back().end = std::min(audio_length, segments_.back().end);
}

std::optional<SpeechSegment> SpeechSegmenter::current() const {
  if (last_) return last_;
  const std::optional<int64_t> end = tracker_.least_end();
  if (!end) return std::nullopt;
  return SpeechSegment{.start = padded(*tracker_.start()), .end = *end};
}

int64_t SpeechSegmenter::least_start() const {
  return last_ ? last_->start : padded(tracker_.start().value_or(position_));
}

std::vector<SpeechSegment> get_speech_timestamps(std::span<const float> speech_probs,
                                                 int64_t audio_length, const VadOptions& options) {
  SpeechSegmenter segmenter(options);
  for (const float prob : speech_probs) segmenter.next(prob);
  segmenter.finish(audio_length);
  return segmenter.segments();
}

std::vector<SpeechSegment> get_speech_timestamps(SpeechDetector& detector, Span<const float> audio,
                                                 const VadOptions& options,
                                                 const std::function<bool()>& cancelled) {
  return with_errors([&] {
    options.validate();
    Cancellation cancellation(guarded(cancelled));
    StoppableDetector stoppable(detector, cancellation);
    return get_speech_timestamps(stoppable.speech_probs(audio), static_cast<int64_t>(audio.size()),
                                 options);
  });
}

std::optional<SpeechChunk> ChunkCollector::add(const SpeechSegment& segment) {
  std::optional<SpeechChunk> ended;
  if (chunk_ && chunk_->duration + segment.size() > max_duration_) ended = finish();
  if (!chunk_) chunk_ = {.segments = {}, .offset = total_};
  chunk_->segments.push_back(segment);
  chunk_->duration += segment.size();
  total_ += segment.size();
  return ended;
}

std::optional<SpeechChunk> ChunkCollector::finish() { return std::exchange(chunk_, std::nullopt); }

SpeechTimestampsMap::SpeechTimestampsMap(std::span<const SpeechSegment> segments) {
  if (segments.empty())
    fail(ErrorCode::invalid_argument, "Without speech there are no times to map.");
  for (const SpeechSegment& segment : segments) add(segment);
}

void SpeechTimestampsMap::add(const SpeechSegment& segment) {
  const int64_t speech = ends_.empty() ? 0 : ends_.back();
  const int64_t silence = segment.start - speech;
  segments_.push_back(segment);
  ends_.push_back(segment.end - silence);
  silence_before_.push_back(static_cast<double>(silence) / kSampleRate);
}

void SpeechTimestampsMap::extend(int64_t end) {
  ends_.back() += end - segments_.back().end;
  segments_.back().end = end;
}

size_t SpeechTimestampsMap::segment_at(double seconds, bool is_end) const {
  const auto sample = static_cast<int64_t>(seconds * kSampleRate);
  const auto found =
      is_end ? std::ranges::lower_bound(ends_, sample) : std::ranges::upper_bound(ends_, sample);
  return std::min(static_cast<size_t>(found - ends_.begin()), ends_.size() - 1);
}

size_t SpeechTimestampsMap::index_of(int64_t sample) const {
  const auto found = std::ranges::upper_bound(ends_, sample);
  return std::min(static_cast<size_t>(found - ends_.begin()), ends_.size() - 1);
}

int64_t SpeechTimestampsMap::original_sample(int64_t sample) const {
  const size_t index = index_of(sample);
  return segments_[index].end + sample - ends_[index];
}

const SpeechSegment& SpeechTimestampsMap::segment_of(int64_t sample) const {
  return segments_[index_of(sample)];
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
