// Numbers in words become digits.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace whisper_s4y {

/// english.py: EnglishNumberNormalizer. "two hundred and five dollars" -> "$205". Takes small
/// letters without symbols other than . % $ ¢ € £; words are separated by single spaces afterwards.
[[nodiscard]] std::u32string numbers_in_digits(std::u32string_view text);

/// The words with number words joined to numbers (EnglishNumberNormalizer.process_words).
[[nodiscard]] std::vector<std::string> join_number_words(const std::vector<std::string>& words);

}  // namespace whisper_s4y
