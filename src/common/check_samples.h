// What is taken for sound.
#pragma once

#include <span>

namespace whisper_s4y {

/// Throws Error naming the first sample that is infinite or NaN.
void check_samples(std::span<const float> samples);

}  // namespace whisper_s4y
