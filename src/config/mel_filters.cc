#include "config/mel_filters.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "config/front_end.h"

namespace whisper_s4y {
namespace {

double mel_to_hertz(double mel) {
  return mel < 15.0 ? 200.0 * mel / 3.0 : 1000.0 * std::exp((mel - 15.0) * std::log(6.4) / 27.0);
}

}  // namespace

std::vector<float> mel_filters(int num_mel_bins) {
  const double top = 15.0 + 27.0 * std::log(8.0) / std::log(6.4);  // 8000 Hz
  std::vector<double> edges(static_cast<size_t>(num_mel_bins) + 2);
  for (size_t i = 0; i < edges.size(); ++i) {
    edges[i] = mel_to_hertz(top * static_cast<double>(i) / static_cast<double>(edges.size() - 1));
  }
  std::vector<float> filters;
  for (size_t mel = 0; mel < static_cast<size_t>(num_mel_bins); ++mel) {
    const double norm = 2.0 / (edges[mel + 2] - edges[mel]);
    for (int bin = 0; bin < kFftBins; ++bin) {
      const double hertz = static_cast<double>(bin) * kSampleRate / kFftSize;
      const double rising = (hertz - edges[mel]) / (edges[mel + 1] - edges[mel]);
      const double falling = (edges[mel + 2] - hertz) / (edges[mel + 2] - edges[mel + 1]);
      filters.push_back(static_cast<float>(norm * std::max(0.0, std::min(rising, falling))));
    }
  }
  return filters;
}

}  // namespace whisper_s4y
