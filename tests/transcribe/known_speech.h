// Speech and languages that need not be found.
#pragma once

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "transcribe/language_stretches.h"
#include "transcribe/speech.h"

namespace whisper_s4y::testing {

/// Stretches that are known.
class KnownStretches : public LanguageStretches {
 public:
  explicit KnownStretches(std::vector<LanguageStretch> stretches)
      : stretches_(std::move(stretches)) {}
  [[nodiscard]] const LanguageStretch* at(int64_t sample, int64_t) override {
    const auto found = std::ranges::find_if(
        stretches_, [&](const LanguageStretch& stretch) { return sample < stretch.end; });
    if (stretches_.empty()) return nullptr;
    return found == stretches_.end() ? &stretches_.back() : &*found;
  }

 private:
  std::vector<LanguageStretch> stretches_;
};

/// Speech that is known.
class KnownSpeech : public SpeechParts {
 public:
  explicit KnownSpeech(std::vector<SpeechSegment> speech) : speech_(std::move(speech)) {}
  [[nodiscard]] std::optional<SpeechSegment> next() override {
    if (next_ == speech_.size()) return std::nullopt;
    return speech_[next_++];
  }

 private:
  std::vector<SpeechSegment> speech_;
  size_t next_ = 0;
};

}  // namespace whisper_s4y::testing
