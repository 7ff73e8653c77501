// Which language a recording is in, by the vote of its first windows.
#pragma once

#include <algorithm>
#include <map>
#include <string>

namespace whisper_s4y {

/// (faster-whisper detect_language) The first window that is sure decides; when none is, the
/// language most windows voted for, the earlier one among equals.
class LanguageVote {
 public:
  explicit LanguageVote(float threshold) : threshold_(threshold) {}

  /// Takes a window's likeliest language. True when it decides.
  bool decides(const std::string& language, float probability) {
    if (probability > threshold_) {
      language_ = language;
      probability_ = probability;
      return true;
    }
    const int count = ++votes_[language];
    if (language_ == language) {
      probability_ = std::max(probability_, probability);
    } else if (language_.empty() || count > votes_[language_]) {
      language_ = language;
      probability_ = probability;
    }
    return false;
  }

  /// The winner so far.
  [[nodiscard]] const std::string& language() const { return language_; }
  [[nodiscard]] float probability() const { return probability_; }

 private:
  float threshold_;
  std::map<std::string, int> votes_;
  std::string language_;
  float probability_ = 0.0F;
};

}  // namespace whisper_s4y
