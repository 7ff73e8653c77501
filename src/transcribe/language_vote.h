// Which language a recording is in, by the vote of its first windows.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "decoding/decoding_options.h"

namespace whisper_s4y {

/// `probs` of these languages alone, which then add up to 1; all of them when `languages` is empty.
/// Every one of `languages` is among `probs`.
[[nodiscard]] LanguageProbs among(const LanguageProbs& probs,
                                  const std::vector<std::string>& languages);

/// The same languages, likeliest first.
[[nodiscard]] LanguageProbs likeliest_first(LanguageProbs probs);

/// The first window that is sure decides; when none is, the mean of all does.
class LanguageVote {
 public:
  /// `threshold`: a probability above it is sure.
  explicit LanguageVote(float threshold) : threshold_(threshold) {}

  /// Takes the probabilities of a window. True when it decides.
  bool decides(const LanguageProbs& probs);

  /// The outcome so far, in the order of the languages.
  [[nodiscard]] LanguageProbs probs() const;

 private:
  float threshold_;
  LanguageProbs sums_;
  size_t windows_ = 0;
};

}  // namespace whisper_s4y
