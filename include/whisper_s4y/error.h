// The one exception type of whisper-s4y.
#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace whisper_s4y {

/// Everything that goes wrong is reported as an Error: one full sentence that says what was
/// expected, what was found, where (file, tensor, byte offset) and, if there is one, the way out.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Throws Error with a formatted message.
template <typename... Args>
[[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) {
  throw Error(fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace whisper_s4y
