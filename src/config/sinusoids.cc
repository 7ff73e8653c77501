#include "config/sinusoids.h"

#include <cmath>
#include <cstddef>

namespace whisper_s4y {

std::vector<float> sinusoids(int positions, int width) {
  const int half = width / 2;
  const double step = std::log(10000.0) / (half - 1);
  std::vector<float> table(static_cast<size_t>(positions) * static_cast<size_t>(width));
  for (int i = 0; i < half; ++i) {
    const double frequency = std::exp(-step * i);
    for (int t = 0; t < positions; ++t) {
      float* row = table.data() + static_cast<ptrdiff_t>(t) * width;
      row[i] = static_cast<float>(std::sin(t * frequency));
      row[half + i] = static_cast<float>(std::cos(t * frequency));
    }
  }
  return table;
}

}  // namespace whisper_s4y
