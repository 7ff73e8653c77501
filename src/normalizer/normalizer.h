// Texts brought to one form, so that word error rates count words and not spellings.
#pragma once

#include <string>
#include <string_view>

namespace whisper_s4y {

struct BasicOptions {
  bool remove_diacritics = false;  // "é" becomes "e"
  bool split_letters = false;      // a space after every character, for scripts without spaces
};

/// openai/whisper normalizers/basic.py: small letters, no symbols, no notes in brackets. Marks
/// become spaces too, which tears Indic and Arabic vowel signs from their letters: compare error
/// rates by character for those.
[[nodiscard]] std::string normalize_basic(std::string_view text, const BasicOptions& options = {});

/// openai/whisper normalizers/english.py: basic, with contractions and titles written out, numbers
/// in digits and American spelling.
[[nodiscard]] std::string normalize_english(std::string_view text);

/// The normaliser the reference's evaluations use for a language code: English, basic, or basic
/// with split letters for languages without spaces (zh, ja, th, lo, my, yue).
[[nodiscard]] std::string normalize(std::string_view text, std::string_view language);

}  // namespace whisper_s4y
