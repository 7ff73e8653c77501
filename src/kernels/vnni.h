// Products of int8 weights on processors that multiply 64 bytes at once (AVX-512 VNNI), which
// Highway 1.0 has no operation for.
#pragma once

#include <cstdint>

#include "kernels/products.h"

namespace whisper_s4y {

/// Whether this processor does.
[[nodiscard]] bool has_vnni();

/// What multiply() computes of int8 weights, to the last bit but for the order of the sums, which
/// are of integers. `in` are `rows` rows of integers, `in_stride` apart, with their scales.
void multiply_vnni(const StoredMatrix& matrix, const int16_t* in, size_t in_stride,
                   const float* scales, size_t rows, size_t first, size_t last,
                   const ProductTarget& target);

}  // namespace whisper_s4y
