// UTF-8 as Python reads it with errors="replace", and Python's white space.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace whisper_s4y {

/// U+FFFD, what stands for bytes that are not UTF-8.
inline constexpr char32_t kReplacementCharacter = 0xFFFD;

/// The character at the beginning of a text.
struct Utf8Character {
  char32_t code = kReplacementCharacter;
  size_t size = 1;          // bytes of it
  bool valid = false;       // false: code is U+FFFD for `size` bytes that cannot be read together
  bool unfinished = false;  // not valid, but more bytes after the end of the text could make it so
};

/// Reads the first character of `text`, which is not empty. Of invalid bytes the longest part that
/// begins a valid character is taken as one (the Unicode standard's "maximal subpart").
[[nodiscard]] Utf8Character first_utf8(std::string_view text);

/// `text` with every invalid part replaced by U+FFFD.
[[nodiscard]] std::string valid_utf8(std::string_view text);

/// A name from a file, fit for a line on a terminal: a line feed, a NUL or an escape sequence in it
/// stays visible ("\\x1b"), and what is not UTF-8 becomes U+FFFD.
[[nodiscard]] std::string visible(std::string_view text);

/// The code points of `text`; invalid parts are U+FFFD.
[[nodiscard]] std::u32string code_points(std::string_view text);

void append_utf8(std::string& out, char32_t code);

/// Unicode's White_Space property: \s of the tokenizer's pattern.
[[nodiscard]] bool is_white_space(char32_t code);

/// Without white space at both ends, as Python's str.strip(), which also takes U+001C to U+001F.
[[nodiscard]] std::string_view trimmed(std::string_view text);

}  // namespace whisper_s4y
