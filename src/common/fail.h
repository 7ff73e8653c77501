// How an Error is thrown.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

#include "whisper_s4y/error.h"

namespace whisper_s4y {

/// What an Error makes of its message: control characters, which names from files may have, are
/// shown, and the middle of a very long message is left out.
[[nodiscard]] std::string one_line(std::string_view message);

/// Throws Error with a formatted message.
template <typename... Args>
[[noreturn]] void fail(ErrorCode code, fmt::format_string<Args...> format, Args&&... args) {
  throw Error(code, fmt::format(format, std::forward<Args>(args)...));
}

/// The same with ErrorCode::invalid_file: most of what goes wrong is in files.
template <typename... Args>
[[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) {
  fail(ErrorCode::invalid_file, format, std::forward<Args>(args)...);
}

}  // namespace whisper_s4y
