#include "common/check_samples.h"

#include <algorithm>
#include <cmath>

#include "common/fail.h"

namespace whisper_s4y {

void check_samples(std::span<const float> samples) {
  const auto bad =
      std::ranges::find_if(samples, [](float sample) { return !std::isfinite(sample); });
  if (bad == samples.end()) return;
  fail(ErrorCode::invalid_argument, "Samples are finite numbers; the one at {} is {}.",
       bad - samples.begin(), *bad);
}

}  // namespace whisper_s4y
