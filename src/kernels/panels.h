// Many rows of activations times matrices of weights, which are most of what an encoder computes.
// The weights stay as the file has them: a task turns those of a few outputs into a panel of the
// processor's caches and takes some hundred rows through it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/panel_layout.h"
#include "kernels/products.h"

namespace whisper_s4y {

/// What activations and weights are multiplied as.
enum class NumberForm {
  floats,
  shorts,  // 16 bits with a scale for each row: weights to 2^-13, activations to 2^-14 or so of the
           // row's largest; those of int8 weights are exact
  bytes,   // 8 bits, activations with a zero point for each row; only for int8 weights and where
           // the processor has VNNI
  // The same where the processor has AMX, see amx.h: bytes to the last bit, shorts as two bytes.
  tiled_shorts,
  tiled_bytes,
};

/// Whether numbers can be multiplied so here.
[[nodiscard]] bool can_multiply(NumberForm form);

/// What the processor is fastest with, of integers; `int8`: all weights are int8.
[[nodiscard]] NumberForm fastest_form(bool int8);

/// Rows of activations in one form.
struct RowsView {
  NumberForm form = NumberForm::floats;
  const void* numbers = nullptr;  // readable for whole tiles of rows and steps of columns
  size_t stride = 0;              // numbers from one row to the next; of tiled_shorts bytes
  size_t columns = 0;
  const float* scales = nullptr;   // of rows; not of floats
  const int32_t* zeros = nullptr;  // of bytes
};

/// Memory for rows in any form.
class PanelRows {
 public:
  /// Forgets all rows. The next are so many of this form.
  void use(NumberForm form, size_t rows, size_t columns);
  /// Takes row `row`. Several threads may each set rows of their own.
  void set(size_t row, const float* values);
  [[nodiscard]] RowsView view() const;

 private:
  size_t columns_ = 0;
  size_t stride_ = 0;
  NumberForm form_ = NumberForm::floats;
  CacheLines numbers_;
  std::vector<float> scales_;
  std::vector<int32_t> zeros_;
};

/// Where the numbers of a product go: out[row * stride + output] = gelu(product + bias), or that
/// is added to it.
struct PanelTarget {
  float* out = nullptr;
  size_t stride = 0;
  const float* bias = nullptr;  // if any: [rows of the matrix]
  bool gelu = false;
  bool add = false;
};

/// Some outputs of a matrix, ready for products.
class Panel {
 public:
  /// Takes kPanelOutputs outputs from `first` on, or what is left of them.
  void pack(const StoredMatrix& matrix, size_t first, NumberForm form);
  /// Rows [begin, end) of `rows` times the panel, to the same rows of the target. `begin` is a
  /// multiple of kTileRows.
  void multiply(const RowsView& rows, size_t begin, size_t end, const PanelTarget& target) const;

 private:
  size_t first_ = 0;
  size_t outputs_ = 0;
  size_t columns_ = 0;
  NumberForm form_ = NumberForm::floats;
  CacheLines numbers_;
  float scales_[kPanelOutputs] = {};  // of outputs
  int32_t sums_[kPanelOutputs] = {};  // of bytes: of the weights
  std::vector<float> row_;            // of weights
  CacheLines staged_, planes_;        // some rows as they go into the panel
  size_t plane_ = 0;                  // bytes of the panel's upper half, of tiled_shorts
};

}  // namespace whisper_s4y
