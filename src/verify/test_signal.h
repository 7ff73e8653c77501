// A sound that needs no file.
#pragma once

#include <cstddef>
#include <vector>

namespace whisper_s4y {

/// Mono 16 kHz samples from -1 to 1, the same at every call: a voice-like tone with overtones that
/// rises and falls in syllables, some noise, and silence at the end.
[[nodiscard]] std::vector<float> test_signal(size_t samples);

}  // namespace whisper_s4y
