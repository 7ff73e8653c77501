// What is wrong with data that a checkpoint can do without.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/fail.h"

namespace whisper_s4y {

/// One sentence or two each, naming the file: what was left out and what stands in for it.
using Warnings = std::vector<std::string>;

/// Adds a warning, as clean a line as the message of an Error.
template <typename... Args>
void warn(Warnings& warnings, fmt::format_string<Args...> format, Args&&... args) {
  warnings.emplace_back(one_line(fmt::format(format, std::forward<Args>(args)...)));
}

/// Runs `read`. The Error it throws becomes a warning that ends with `consequence`, a sentence:
/// optional data never stops a conversion.
template <typename Read>
void read_optional(Warnings& warnings, std::string_view consequence, Read&& read) {
  try {
    read();
  } catch (const Error& error) {
    warn(warnings, "{} {}", error.what(), consequence);
  }
}

/// "a, b, c and 4 more".
[[nodiscard]] std::string some_of(const std::vector<std::string>& names);

}  // namespace whisper_s4y
