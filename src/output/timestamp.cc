#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "whisper_s4y/output.h"

namespace whisper_s4y {

std::string format_timestamp(double seconds, bool always_hours, char decimal_mark) {
  // What is no time is 0, and nothing lasts longer than three centuries.
  if (!(seconds > 0.0)) seconds = 0.0;
  // Halves to even, as Python rounds.
  const long long milliseconds = std::llrint(std::min(seconds, 1e10) * 1000.0);
  const long long hours = milliseconds / 3'600'000;
  const std::string rest = fmt::format("{:02}:{:02}{}{:03}", milliseconds / 60'000 % 60,
                                       milliseconds / 1000 % 60, decimal_mark, milliseconds % 1000);
  return always_hours || hours > 0 ? fmt::format("{:02}:{}", hours, rest) : rest;
}

}  // namespace whisper_s4y
