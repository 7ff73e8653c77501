// Rows of activations times matrices of weights as a file stores them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace whisper_s4y {

/// How the numbers of a matrix are stored.
enum class WeightKind { f32, f16, i8, i4 };

/// Numbers of a row of int4 that share a scale.
inline constexpr size_t kScaledBlock = 32;

/// Weights [rows, columns], row by row.
struct StoredMatrix {
  WeightKind kind = WeightKind::f32;
  size_t rows = 0;
  size_t columns = 0;                  // i4: a multiple of kScaledBlock
  const std::byte* bytes = nullptr;    // i4: two numbers a byte, the first in the low half
  std::vector<float> row_scales;       // if any: value = stored * row_scales[row]
  const std::byte* block_scales = {};  // i4: float16[rows, columns / kScaledBlock]
  // What products leave out, and callers do to activations and results: see restore_columns() of
  // TensorView.
  bool spread = false;                // ColumnSpreading of the rows follows the scales,
  std::vector<float> column_factors;  // if any: then column i is multiplied by number i,
  std::vector<float> column_offsets;  // if any: at last number i is added to column i
};

/// Activations [rows, columns] in the forms that products take: float32, and for integer weights
/// integers of 16 bits with a scale for each row. They are as fine as can be without a sum of
/// products leaving 32 bits: about 14 bits and a sign.
class PreparedRows {
 public:
  /// Forms that some matrices take.
  struct Forms {
    bool floats = false;
    bool integers = false;
    bool split = false;  // integers; of a block first the even columns, then the odd: for int4

    void add(const StoredMatrix& matrix);
  };

  PreparedRows(size_t rows, size_t columns);

  /// Takes row `row`. Of one set of activations rows may be set by several threads.
  void set(size_t row, const float* values, const Forms& forms);

  [[nodiscard]] size_t columns() const { return columns_; }
  [[nodiscard]] size_t stride() const { return stride_; }
  [[nodiscard]] const float* floats(size_t row) const { return floats_.data() + row * stride_; }
  [[nodiscard]] const int16_t* integers(size_t row) const {
    return integers_.data() + row * stride_;
  }
  [[nodiscard]] const int16_t* split(size_t row) const { return split_.data() + row * stride_; }
  [[nodiscard]] const float* scales() const { return scales_.data(); }

 private:
  size_t columns_;
  size_t stride_;  // columns filled up with zeros to whole vectors
  std::vector<float> floats_;
  std::vector<int16_t> integers_;
  std::vector<int16_t> split_;
  std::vector<float> scales_;
};

/// Where the numbers of a product go.
struct ProductTarget {
  float* out = nullptr;  // number j of row r is out[r * stride + j]
  size_t stride = 0;
  const float* bias = nullptr;  // if any: added, [rows of the matrix]
  bool add = false;             // to what is there
};

/// The first `rows` rows of `in` times rows [first, last) of the matrix, transposed.
void multiply(const StoredMatrix& matrix, const PreparedRows& in, size_t rows, size_t first,
              size_t last, const ProductTarget& target);
/// The same with what Highway has for this processor.
void multiply_portably(const StoredMatrix& matrix, const PreparedRows& in, size_t rows,
                       size_t first, size_t last, const ProductTarget& target);

}  // namespace whisper_s4y
