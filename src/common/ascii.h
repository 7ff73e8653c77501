// Letters of ASCII, whatever the locale.
#pragma once

#include <algorithm>
#include <string>

namespace whisper_s4y {

/// "DOCTYPE" -> "doctype"; bytes of other characters stay.
[[nodiscard]] inline std::string lower_case(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return text;
}

}  // namespace whisper_s4y
