// Energies of frames of sound in bands of frequencies: what a spectrogram is made of.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "kernels/panel_layout.h"

namespace whisper_s4y {

/// The frequencies that a filter lets through.
struct PassBand {
  size_t first = 0;
  size_t count = 0;
  size_t weights = 0;  // where those of its frequencies begin among all weights
};

/// Never changes once made.
class MelSpectrum {
 public:
  /// What one thread needs to compute.
  class Scratch {
   private:
    friend class MelSpectrum;
    CacheLines samples_, points_, powers_;
  };

  /// Frames that are computed at once.
  static constexpr size_t kFrames = 16;

  /// window [size]: what the samples of a frame are multiplied by, where size / 2 has no prime
  /// factors but 2 and 5. filters [filters, size / 2 + 1]: how much of the power of each frequency
  /// is part of a filter's energy.
  MelSpectrum(std::span<const double> window, std::span<const float> filters);

  [[nodiscard]] size_t filters() const { return filters_.size(); }

  /// out[filter * stride + f] = log10(max(energy, least)) for the first `count` of kFrames frames,
  /// the samples of which are [f * hop, f * hop + size); those of all are readable. Returns the
  /// largest.
  float logs(const float* samples, size_t hop, size_t count, float least, Scratch& scratch,
             float* out, size_t stride) const;

 private:
  std::vector<float> window_;
  std::vector<size_t> radices_;  // their product is size / 2
  // Points of the unit circle, cosine and sine each: all of size / 2, and of `size` the first
  // quarter.
  std::vector<float> twiddles_;
  std::vector<float> halves_;
  std::vector<PassBand> filters_;
  std::vector<float> weights_;
};

/// Each value becomes (max(value, lowest) + shift) * factor.
void clamp_and_scale(std::span<float> values, float lowest, float shift, float factor);

}  // namespace whisper_s4y
