#include "config/dft_kernel.h"

#include <cmath>
#include <cstddef>
#include <numbers>

namespace whisper_s4y {

std::vector<float> dft_kernel(int size) {
  const int bins = size / 2 + 1;
  const size_t half = static_cast<size_t>(bins) * static_cast<size_t>(size);
  std::vector<float> kernel(2 * half);
  size_t at = 0;
  for (int bin = 0; bin < bins; ++bin) {
    for (int n = 0; n < size; ++n, ++at) {
      // Reducing the product first keeps the angle exact.
      const double angle = 2.0 * std::numbers::pi * ((bin * n) % size) / size;
      const double window = 0.5 - 0.5 * std::cos(2.0 * std::numbers::pi * n / size);
      kernel[at] = static_cast<float>(window * std::cos(angle));
      kernel[half + at] = static_cast<float>(-window * std::sin(angle));
    }
  }
  return kernel;
}

}  // namespace whisper_s4y
