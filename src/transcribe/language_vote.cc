#include "transcribe/language_vote.h"

#include <algorithm>
#include <functional>

#include "decoding/window_decoder.h"

namespace whisper_s4y {

LanguageProbs among(const LanguageProbs& probs, const std::vector<std::string>& languages) {
  if (languages.empty()) return probs;
  LanguageProbs result;
  float sum = 0.0F;
  for (const auto& [language, probability] : probs) {
    if (std::ranges::find(languages, language) == languages.end()) continue;
    result.emplace_back(language, probability);
    sum += probability;
  }
  for (auto& [language, probability] : result) {
    // A sound that is none of them says nothing.
    probability = sum > 0 ? probability / sum : 1.0F / static_cast<float>(result.size());
  }
  return result;
}

LanguageProbs likeliest_first(LanguageProbs probs) {
  std::ranges::stable_sort(probs, std::ranges::greater(), &LanguageProbs::value_type::second);
  return probs;
}

bool LanguageVote::decides(const LanguageProbs& probs) {
  const bool sure = most_likely(probs).second > threshold_;
  if (sure || windows_ == 0) {
    sums_ = probs;
    windows_ = 1;
    return sure;
  }
  for (size_t i = 0; i < probs.size(); ++i) sums_[i].second += probs[i].second;
  ++windows_;
  return false;
}

LanguageProbs LanguageVote::probs() const {
  LanguageProbs means = sums_;
  for (auto& [language, probability] : means) probability /= static_cast<float>(windows_);
  return means;
}

}  // namespace whisper_s4y
