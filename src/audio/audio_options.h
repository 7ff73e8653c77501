// The table of AudioOptions.
#pragma once

#include <optional>
#include <string_view>

#include "options/option.h"
#include "whisper_s4y/audio.h"

namespace whisper_s4y {

template <>
const OptionTable& option_table<AudioOptions>();

/// The number of a text that is nothing else.
[[nodiscard]] std::optional<int> whole_number(std::string_view text);

}  // namespace whisper_s4y
