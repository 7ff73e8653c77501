#include "vad/speech_tracker.h"

#include <algorithm>
#include <cmath>

#include "common/options.h"
#include "whisper_s4y/audio.h"
#include "whisper_s4y/vad.h"

namespace whisper_s4y {
namespace {

// Neither a pause nor a word is longer than a day.
constexpr double kLongestMs = 86'400'000;

constexpr OptionName kThreshold{"threshold", "--vad-threshold"};
constexpr OptionName kNegThreshold{"neg_threshold", "--vad-neg-threshold"};
constexpr OptionName kMaxSpeech{"max_speech_duration_s", "--vad-max-speech-duration-s"};
constexpr OptionName kSpeechPad{"speech_pad_ms", "--vad-speech-pad-ms"};

constexpr NumberOption<VadOptions> kVadNumbers[] = {
    number_option<&VadOptions::threshold>(kThreshold, 0.001, 0.999),
    number_option<&VadOptions::neg_threshold>(kNegThreshold, 0.001, 0.999),
    number_option<&VadOptions::min_speech_duration_ms>(
        {"min_speech_duration_ms", "--vad-min-speech-duration-ms"}, 0, kLongestMs),
    number_option<&VadOptions::max_speech_duration_s>(kMaxSpeech, 0, kNoLimit),
    number_option<&VadOptions::min_silence_duration_ms>(
        {"min_silence_duration_ms", "--vad-min-silence-duration-ms"}, 0, kLongestMs),
    number_option<&VadOptions::speech_pad_ms>(kSpeechPad, 0, kLongestMs),
    number_option<&VadOptions::min_silence_at_max_speech_ms>({"min_silence_at_max_speech_ms"}, 0,
                                                             kLongestMs),
};

double samples_of_ms(int ms) { return static_cast<double>(kSampleRate) * ms / 1000.0; }

}  // namespace

void VadOptions::validate() const {
  check_numbers(*this, kVadNumbers);
  if (neg_threshold && *neg_threshold > threshold) {
    fail_option("{} {} is above the {} {}.", kNegThreshold, *neg_threshold, kThreshold, threshold);
  }
  // A chunk and the padding must fit in; otherwise every chunk would be split off.
  const double least = (2.0 * samples_of_ms(speech_pad_ms) + 2.0 * kVadChunk) / kSampleRate;
  if (max_speech_duration_s < least) {
    fail_option("{} is {}, expected at least {}: twice {} and two chunks.", kMaxSpeech,
                max_speech_duration_s, least, kSpeechPad);
  }
}

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

void SpeechTracker::finish(int64_t audio_length, std::vector<SpeechSegment>& ended) {
  if (!start_) return;
  end_segment(audio_length, ended);
  if (static_cast<double>(ended.back().size()) <= min_speech_) ended.pop_back();
}

}  // namespace whisper_s4y
