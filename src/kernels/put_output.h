// What all products do with a number they have computed.
#pragma once

#include "kernels/products.h"

namespace whisper_s4y {

/// How far ahead weights are asked for.
inline constexpr size_t kBytesAhead = 2048;

inline void put_output(const StoredMatrix& matrix, const ProductTarget& target, size_t row,
                       size_t output, float total) {
  if (!matrix.row_scales.empty()) total *= matrix.row_scales[output];
  if (target.bias != nullptr) total += target.bias[output];
  float& out = target.out[row * target.stride + output];
  out = target.add ? out + total : total;
}

}  // namespace whisper_s4y
