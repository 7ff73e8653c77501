// The discrete Fourier transform of a window of samples, as numbers to multiply them by.
#pragma once

#include <vector>

namespace whisper_s4y {

/// A Hann window that is periodic, [size], as torch.hann_window(size).
[[nodiscard]] std::vector<double> hann_window(int size);

/// f32[2 * (size / 2 + 1), size]: a row of cosines for each bin, then one of sines with the other
/// sign, all times that window.
[[nodiscard]] std::vector<float> dft_kernel(int size);

}  // namespace whisper_s4y
