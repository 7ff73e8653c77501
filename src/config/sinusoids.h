// The positions of Whisper's encoder.
#pragma once

#include <vector>

namespace whisper_s4y {

/// As openai/whisper model.py sinusoids(): row t of [positions, width] holds the sines of t times
/// width / 2 frequencies from 1 down to 1 / 10000, then the cosines. The width is even, at least 4.
[[nodiscard]] std::vector<float> sinusoids(int positions, int width);

}  // namespace whisper_s4y
