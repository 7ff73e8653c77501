// The discrete Fourier transform of a window of samples, as numbers to multiply them by.
#pragma once

#include <vector>

namespace whisper_s4y {

/// f32[2 * (size / 2 + 1), size]: a row of cosines for each bin, then one of sines with the other
/// sign, all times a Hann window that is periodic.
[[nodiscard]] std::vector<float> dft_kernel(int size);

}  // namespace whisper_s4y
