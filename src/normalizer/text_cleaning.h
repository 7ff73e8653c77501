// The steps both normalisers take.
#pragma once

#include <string>
#include <string_view>

namespace whisper_s4y {

/// Without <...> and [...], then without (...): notes on sounds and speakers.
[[nodiscard]] std::u32string without_groups(std::u32string_view text);

/// NFKC with a space for every mark, symbol and punctuation sign (basic.py: remove_symbols).
[[nodiscard]] std::u32string without_symbols(std::u32string_view text);

/// NFKD without accents, with a space for every other mark, symbol and punctuation sign that is not
/// in `keep` (basic.py: remove_symbols_and_diacritics).
[[nodiscard]] std::u32string without_symbols_and_diacritics(std::u32string_view text,
                                                            std::u32string_view keep = {});

/// Every run of white space as one space; none is removed at the ends.
[[nodiscard]] std::u32string with_single_spaces(std::u32string_view text);

}  // namespace whisper_s4y
