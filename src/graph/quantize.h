// Integer forms of weight matrices.
#pragma once

#include <memory>

#include "graph/constant.h"
#include "graph/graph.h"

namespace whisper_s4y {

/// Largest magnitude of each row, in one pass over the source.
[[nodiscard]] std::vector<float> row_maxima(const RowSource& source);

/// Symmetric int8 with one scale a row: value = stored * scale, scale = max|row| / 127. A row of
/// zeros, or of nothing above 1e-36, gets scale 1. The scales are computed at once, the integers
/// while the file is written.
struct QuantizedConstant {
  std::shared_ptr<const ConstantData> data;
  std::shared_ptr<const Quantization> quantization;
};
[[nodiscard]] QuantizedConstant int8_rows(const Rows& source);

/// The same in int4 (-7 to 7), two numbers a byte, the first in the low half; the row size must be
/// even.
[[nodiscard]] QuantizedConstant int4_rows(const Rows& source);

}  // namespace whisper_s4y
