#include "verify/test_signal.h"

#include <cmath>
#include <cstdint>
#include <numbers>

#include "config/front_end.h"

namespace whisper_s4y {

std::vector<float> test_signal(size_t samples) {
  constexpr double kSyllablesPerSecond = 4;
  constexpr int kOvertones = 12;
  std::vector<float> signal(samples, 0.0F);
  const size_t sounding = samples / 4 * 3;
  uint32_t noise = 1;
  double phase = 0;
  for (size_t i = 0; i < sounding; ++i) {
    const double t = static_cast<double>(i) / kSampleRate;
    const double pitch = 120 + 40 * std::sin(2 * std::numbers::pi * 0.7 * t);
    phase += 2 * std::numbers::pi * pitch / kSampleRate;
    const double loudness = std::pow(std::sin(std::numbers::pi * kSyllablesPerSecond * t), 2);
    double voice = 0;
    for (int overtone = 1; overtone <= kOvertones; ++overtone) {
      voice += std::sin(overtone * phase) / overtone;
    }
    noise = noise * 1664525U + 1013904223U;  // Numerical Recipes' linear congruence
    const double hiss = static_cast<double>(noise >> 8) / (1 << 23) - 1;
    signal[i] = static_cast<float>(0.25 * loudness * voice + 0.01 * hiss);
  }
  return signal;
}

}  // namespace whisper_s4y
