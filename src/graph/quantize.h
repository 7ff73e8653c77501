// Integer forms of weight matrices.
#pragma once

#include <memory>

#include "graph/constant.h"
#include "graph/graph.h"

namespace whisper_s4y {

/// Largest magnitude of each row, in one pass over the source. Throws Error naming the source and
/// the row of a number that is not finite.
[[nodiscard]] std::vector<float> row_maxima(const RowSource& source);

/// What the numbers of each column are like.
struct ColumnMoments {
  std::vector<float> means;
  std::vector<float> deviations;  // root mean square of the difference to the mean
};
/// Throws Error naming the source and the row of a number that is not finite.
[[nodiscard]] ColumnMoments column_moments(const RowSource& source);

/// Symmetric int8 with one scale a row: value = stored * scale, scale = max|row| / 127. A row of
/// zeros, or of nothing above 1e-36, gets scale 1. The scales are computed at once, the integers
/// while the file is written.
struct Int8Rows {
  std::shared_ptr<const ConstantData> data;
  std::shared_ptr<const Quantization> quantization;
};
[[nodiscard]] Int8Rows int8_rows(const Rows& source);

/// Numbers of a row that share a scale in int4: the smallest number LiteRT has fast code for.
inline constexpr int kInt4Block = 32;

/// Symmetric int4 with a float16 scale for each kInt4Block numbers of a row: value = stored *
/// scale. Of a few scales, from max|block| / 7 down to where the largest number is cut, a block
/// gets the one with the smallest squared error; a block of zeros gets the smallest normal number.
/// Two numbers a byte, the first in the low half.
struct Int4Blocks {
  std::shared_ptr<const ConstantData> data;
  Rows scales;  // [rows, row_size / kInt4Block], exact in float16; of the origin of the numbers
};
/// The row size must be a multiple of kInt4Block.
[[nodiscard]] Int4Blocks int4_blocks(const Rows& source);

}  // namespace whisper_s4y
