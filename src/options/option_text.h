// Values of options as text, and in messages.
#pragma once

#include <string>
#include <string_view>

#include "options/option.h"

namespace whisper_s4y {

/// Whether the option can be nothing, or a number without limit, which is nothing too.
[[nodiscard]] bool can_be_nothing(const Option& row);

/// A value of the row's kind, or null for "none". Throws OptionError when the text is neither.
[[nodiscard]] Json value_of_text(const Option& row, std::string_view text);

/// "a whole number", "transcribe or translate"
[[nodiscard]] std::string expected_value(const Option& row, bool as_text);

/// "a, b or c"
[[nodiscard]] std::string alternatives(std::span<const std::string_view> names);

}  // namespace whisper_s4y
