#include "checkpoint/warnings.h"

#include <span>

namespace whisper_s4y {

std::string some_of(const std::vector<std::string>& names) {
  constexpr size_t kShown = 3;
  if (names.size() <= kShown + 1) return fmt::format("{}", fmt::join(names, ", "));
  return fmt::format("{} and {} more", fmt::join(std::span(names).first(kShown), ", "),
                     names.size() - kShown);
}

}  // namespace whisper_s4y
