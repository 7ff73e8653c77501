// How far a transcript is from what was said.
#pragma once

#include <cstddef>
#include <string_view>

namespace whisper_s4y {

/// The fewest changes that make the reference out of the hypothesis. Sums of several recordings
/// add up with +=.
struct ErrorCounts {
  size_t substitutions = 0;
  size_t deletions = 0;   // in the reference, not in the hypothesis
  size_t insertions = 0;  // in the hypothesis, not in the reference
  size_t reference = 0;   // words or characters of the reference

  [[nodiscard]] size_t errors() const { return substitutions + deletions + insertions; }
  /// Errors per word or character of the reference; of an empty reference 0 without errors and
  /// infinity with some.
  [[nodiscard]] double rate() const;

  ErrorCounts& operator+=(const ErrorCounts& other);
  bool operator==(const ErrorCounts&) const = default;
};

/// By words between white space, as they stand: normalise both texts first.
[[nodiscard]] ErrorCounts word_errors(std::string_view reference, std::string_view hypothesis);

/// By characters, white space left out.
[[nodiscard]] ErrorCounts character_errors(std::string_view reference, std::string_view hypothesis);

}  // namespace whisper_s4y
