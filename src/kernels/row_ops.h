// What a decoder does to rows of activations between products.
#pragma once

#include <cstddef>
#include <span>

namespace whisper_s4y {

/// (in - mean) / sqrt(variance + 1e-5) * gain + bias, all of one size; `out` may be `in`.
void layer_norm(std::span<const float> in, std::span<const float> gain, std::span<const float> bias,
                std::span<float> out);

/// x / 2 * (1 + erf(x / sqrt(2))) to 3e-7 of x, in place.
void gelu(std::span<float> values);

/// exp(x - max) / sum, in place.
void softmax(std::span<float> values);

}  // namespace whisper_s4y
