// The version of whisper-s4y.
#pragma once

#include <string_view>

namespace whisper_s4y {

inline constexpr std::string_view kVersion = "1.0.0";

}  // namespace whisper_s4y
