// British spellings and their American forms.
#pragma once

#include <string_view>

namespace whisper_s4y {

/// data/british_american.txt: "colour color" a line.
[[nodiscard]] std::string_view spelling_list();

/// The American form of a word in small letters; the word itself when the list has none.
[[nodiscard]] std::string_view american_spelling(std::string_view word);

}  // namespace whisper_s4y
