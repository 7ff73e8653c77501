#include "vad/speech_tracker.h"

#include <algorithm>
#include <cmath>

#include "whisper_s4y/audio.h"
#include "whisper_s4y/vad.h"

namespace whisper_s4y {
namespace {

double samples_of_ms(int ms) { return static_cast<double>(kSampleRate) * ms / 1000.0; }

}  // namespace

SpeechTracker::SpeechTracker(const VadOptions& options)
    : threshold_(static_cast<float>(options.threshold)),
      neg_threshold_(static_cast<float>(
          options.neg_threshold.value_or(std::max(options.threshold - 0.15, 0.01)))),
      min_speech_(samples_of_ms(options.min_speech_duration_ms)),
      max_speech_(kSampleRate * options.max_speech_duration_s - kVadChunk -
                  2.0 * samples_of_ms(options.speech_pad_ms)),
      min_silence_(samples_of_ms(options.min_silence_duration_ms)),
      min_silence_at_max_speech_(samples_of_ms(options.min_silence_at_max_speech_ms)) {
  options.validate();
}

void SpeechTracker::end_segment(int64_t end, std::vector<SpeechSegment>& ended) {
  ended.push_back({.start = *start_, .end = end});
  start_.reset();
  silence_.reset();
  split_end_.reset();
  split_start_.reset();
}

void SpeechTracker::next(float speech_prob, std::vector<SpeechSegment>& ended) {
  const int64_t position = position_;
  position_ += kVadChunk;
  const bool speech = speech_prob >= threshold_;
  if (speech && silence_) {
    silence_.reset();
    if (split_end_ && !split_start_) split_start_ = position;
  }
  if (!start_) {
    if (speech) start_ = position;
    return;
  }
  if (static_cast<double>(position - *start_) > max_speech_) {
    if (!split_end_) return end_segment(position, ended);
    const std::optional<int64_t> goes_on = split_start_;
    end_segment(*split_end_, ended);
    start_ = goes_on;
    if (!start_) return;
  }
  if (speech_prob >= neg_threshold_) return;
  if (!silence_) silence_ = position;
  const auto silent = static_cast<double>(position - *silence_);
  if (silent > min_silence_at_max_speech_) {
    split_end_ = silence_;
    split_start_.reset();
  }
  if (silent < min_silence_) return;
  const int64_t end = *silence_;
  end_segment(end, ended);
  if (static_cast<double>(ended.back().size()) <= min_speech_) ended.pop_back();
}

std::optional<int64_t> SpeechTracker::least_end() const {
  if (!start_) return std::nullopt;
  int64_t end = silence_.value_or(position_);
  if (split_end_) end = std::min(end, *split_end_);
  if (static_cast<double>(end - *start_) <= min_speech_) return std::nullopt;
  return end;
}

void SpeechTracker::finish(int64_t audio_length, std::vector<SpeechSegment>& ended) {
  if (!start_) return;
  end_segment(audio_length, ended);
  if (static_cast<double>(ended.back().size()) <= min_speech_) ended.pop_back();
}

}  // namespace whisper_s4y
