// How far transcripts are from what was said: texts brought to one form, and errors counted.
//
//   using namespace whisper_s4y;
//   ErrorCounts errors = word_errors(normalize(reference, "en"), normalize(transcript.text, "en"));
//   std::cout << 100 * errors.rate() << " % of the words are wrong\n";
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "whisper_s4y/export.h"

namespace whisper_s4y {

/// How basic normalisation goes.
struct BasicOptions {
  bool remove_diacritics = false;  // "é" becomes "e"
  bool split_letters = false;      // a space after every character, for scripts without spaces
};

/// openai/whisper normalizers/basic.py: small letters, no symbols, no notes in brackets. Marks
/// become spaces too, which tears Indic and Arabic vowel signs from their letters: compare error
/// rates by character for those.
[[nodiscard]] WHISPER_S4Y_API std::string normalize_basic(std::string_view text,
                                                          const BasicOptions& options = {});

/// openai/whisper normalizers/english.py: basic, with contractions and titles written out, numbers
/// in digits and American spelling.
[[nodiscard]] WHISPER_S4Y_API std::string normalize_english(std::string_view text);

/// The normaliser the reference's evaluations use for a language code: English, basic, or basic
/// with split letters for languages without spaces (zh, ja, th, lo, my, yue).
[[nodiscard]] WHISPER_S4Y_API std::string normalize(std::string_view text,
                                                    std::string_view language);

/// The fewest changes that make the reference out of the hypothesis. Sums of several recordings
/// add up with +=.
struct WHISPER_S4Y_API ErrorCounts {
  size_t substitutions = 0;
  size_t deletions = 0;   // in the reference, not in the hypothesis
  size_t insertions = 0;  // in the hypothesis, not in the reference
  size_t reference = 0;   // words or characters of the reference

  [[nodiscard]] size_t errors() const { return substitutions + deletions + insertions; }
  /// Errors per word or character of the reference; of an empty reference 0 without errors and
  /// infinity with some.
  [[nodiscard]] double rate() const;

  ErrorCounts& operator+=(const ErrorCounts& other);
  bool operator==(const ErrorCounts& other) const;
};

/// By words between white space, as they stand: normalise both texts first.
[[nodiscard]] WHISPER_S4Y_API ErrorCounts word_errors(std::string_view reference,
                                                      std::string_view hypothesis);

/// By characters, white space left out.
[[nodiscard]] WHISPER_S4Y_API ErrorCounts character_errors(std::string_view reference,
                                                           std::string_view hypothesis);

}  // namespace whisper_s4y
