// Small helpers on text.
#pragma once

#include <string_view>

namespace whisper_s4y {

/// Without the ASCII white space at both ends.
[[nodiscard]] inline std::string_view stripped(std::string_view text) {
  constexpr std::string_view kSpace = " \t\n\v\f\r";
  const size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

}  // namespace whisper_s4y
