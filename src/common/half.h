// Conversion between float32 and the 16-bit float types, many numbers at a time.
#pragma once

#include <cstdint>
#include <span>

namespace whisper_s4y {

/// IEEE binary16 <-> float32; rounds to nearest even, overflows to infinity. Spans of equal size.
void float_to_half(std::span<const float> in, std::span<uint16_t> out);
void half_to_float(std::span<const uint16_t> in, std::span<float> out);

/// bfloat16 -> float32, exact. Spans of equal size.
void bfloat16_to_float(std::span<const uint16_t> in, std::span<float> out);

}  // namespace whisper_s4y
