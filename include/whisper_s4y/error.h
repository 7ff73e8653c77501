// The one exception type of whisper-s4y.
#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string_view>
#include <utility>

namespace whisper_s4y {

/// Everything that goes wrong is reported as an Error: one full sentence that says what was
/// expected, what was found, where (file, tensor, byte offset) and, if there is one, the way out.
class Error : public std::runtime_error {
 public:
  /// Control characters become visible and what is not UTF-8 U+FFFD, for names from files are in
  /// messages; of a very long message the middle is left out.
  explicit Error(std::string_view message);
};

/// Throws Error with a formatted message.
template <typename... Args>
[[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) {
  throw Error(fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace whisper_s4y
