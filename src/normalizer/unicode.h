// What Python's str methods and regular expressions know about characters.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace whisper_s4y {

/// First letter of the general category: L, M, N, P, S, Z or C.
[[nodiscard]] char category_group(char32_t code);
/// Category Mn: accents and other marks that take no room.
[[nodiscard]] bool is_nonspacing_mark(char32_t code);
/// \w: letters, numbers and the underscore.
[[nodiscard]] bool is_word_character(char32_t code);
/// \s and str.split(): White_Space and U+001C to U+001F.
[[nodiscard]] bool is_python_space(char32_t code);
/// \d: the value of a decimal digit of any script.
[[nodiscard]] std::optional<int> digit_value(char32_t code);

/// str.lower().
[[nodiscard]] std::u32string lowered(std::u32string_view text);

enum class NormalForm { nfkc, nfkd };
/// unicodedata.normalize().
[[nodiscard]] std::u32string normal_form(std::u32string_view text, NormalForm form);

/// User-perceived characters: regex's \X.
[[nodiscard]] std::vector<std::u32string> graphemes(std::u32string_view text);

/// str.split().
[[nodiscard]] std::vector<std::string> split_words(std::u32string_view text);

[[nodiscard]] std::string to_utf8(std::u32string_view text);

}  // namespace whisper_s4y
