#include "config/dft_kernel.h"

#include <cmath>
#include <cstddef>
#include <numbers>

namespace whisper_s4y {

std::vector<double> hann_window(int size) {
  std::vector<double> window;
  for (int n = 0; n < size; ++n) {
    window.push_back(0.5 - 0.5 * std::cos(2.0 * std::numbers::pi * n / size));
  }
  return window;
}

std::vector<float> dft_kernel(int size) {
  std::vector<double> cosines;
  std::vector<double> sines;
  for (int n = 0; n < size; ++n) {
    const double angle = 2.0 * std::numbers::pi * n / size;
    cosines.push_back(std::cos(angle));
    sines.push_back(std::sin(angle));
  }
  const std::vector<double> window = hann_window(size);
  const size_t samples = window.size();
  const size_t bins = samples / 2 + 1;
  std::vector<float> kernel(2 * bins * samples);
  size_t at = 0;
  for (size_t bin = 0; bin < bins; ++bin) {
    for (size_t n = 0; n < samples; ++n, ++at) {
      const size_t turned = bin * n % samples;  // the rest of the angle, exactly
      kernel[at] = static_cast<float>(window[n] * cosines[turned]);
      kernel[bins * samples + at] = static_cast<float>(-window[n] * sines[turned]);
    }
  }
  return kernel;
}

}  // namespace whisper_s4y
