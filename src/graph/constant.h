// Contents of constants. They are produced while the file is written, never held all at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "graph/dtype.h"

namespace whisper_s4y {

/// Takes the bytes of a constant piece by piece.
using ByteSink = std::function<void(std::span<const std::byte>)>;

/// The bytes of one buffer of the model.
class ConstantData {
 public:
  virtual ~ConstantData() = default;
  /// Number of bytes write() gives to the sink.
  [[nodiscard]] virtual uint64_t size() const = 0;
  virtual void write(const ByteSink& sink) const = 0;
  /// Equal keys mean equal bytes: such constants become one buffer.
  [[nodiscard]] virtual std::string key() const = 0;
};

/// Bytes held in memory, for small constants; the key is the content.
[[nodiscard]] std::shared_ptr<const ConstantData> bytes_constant(std::span<const std::byte> bytes);

/// What numbers were before: rows of a tensor of the checkpoint, and what was done to them since.
struct Origin {
  std::string tensor;
  int64_t first_row = 0;
  float factor = 1;         // they were multiplied by it
  bool taps_first = false;  // of a kernel: rows of [inputs, taps] became [taps, inputs]
  std::string offsets;      // if any: name of the numbers that were taken from columns at first,
  std::string divisors;     // if any: of those that columns were divided by then,
  bool spread = false;      // columns were spread at last: common/column_spreading.h
};

/// A matrix of float32 numbers that is read row by row, from a checkpoint or computed. Everything
/// that is done to weights on their way to the file (transposing, scaling, joining, quantising) is
/// one RowSource on top of another.
class RowSource {
 public:
  virtual ~RowSource() = default;
  [[nodiscard]] virtual const Shape& shape() const = 0;
  /// Writes rows [first, first + count) of dimension 0, count * row_size() numbers.
  virtual void read(int64_t first, int64_t count, std::span<float> out) const = 0;
  /// Says that these rows will not be needed soon, so that their pages can go.
  virtual void release(int64_t first, int64_t count) const;
  /// Bytes of the whole source when they are stored just so as `type`; empty otherwise.
  [[nodiscard]] virtual std::span<const std::byte> stored_as(DType type) const;
  /// Identity of the numbers: equal names mean equal numbers within one conversion.
  [[nodiscard]] virtual const std::string& name() const = 0;
  /// Nothing for numbers that are computed or come from several tensors.
  [[nodiscard]] virtual std::optional<Origin> origin() const { return std::nullopt; }

  [[nodiscard]] int64_t rows() const { return shape().empty() ? 1 : shape()[0]; }
  [[nodiscard]] int64_t row_size() const { return element_count(shape()) / rows(); }
};

using Rows = std::shared_ptr<const RowSource>;

/// Calls visit(first_row, numbers) over the whole source in pieces of about 1 MB, releasing what
/// was read. `numbers` holds whole rows.
void for_each_rows(const RowSource& source,
                   const std::function<void(int64_t, std::span<const float>)>& visit);

/// All of the source, which is to be small, in memory.
[[nodiscard]] std::vector<float> all_numbers(const RowSource& source);

/// The source as float32 or float16 bytes.
[[nodiscard]] std::shared_ptr<const ConstantData> float_constant(Rows source, DType type);

/// Numbers held in memory.
[[nodiscard]] Rows rows_of(std::string name, Shape shape, std::vector<float> numbers);
/// Every number times `factor`.
[[nodiscard]] Rows scaled(const Rows& source, float factor);
/// Column i of a matrix divided by number i of `divisors` [row size].
[[nodiscard]] Rows columns_divided(const Rows& source, const Rows& divisors);
/// Number i of `offsets` [row size] taken from column i of a matrix.
[[nodiscard]] Rows columns_shifted(const Rows& source, const Rows& offsets);
/// The rows of a matrix after ColumnSpreading.
[[nodiscard]] Rows columns_spread(const Rows& source);
/// The same numbers, whose columns were shifted (unless `offsets` is null), divided and, if
/// `are_spread`, spread before: with the name and the origin that they would have after it here.
[[nodiscard]] Rows columns_changed_before(Rows source, const Rows& offsets, const Rows& divisors,
                                          bool are_spread);
/// [a, b, c] -> [a, 1, c, b]: a 1-D convolution kernel of PyTorch as CONV_2D wants it.
[[nodiscard]] Rows conv_kernel(const Rows& source);
/// Sources of equal row size one after another along dimension 0.
[[nodiscard]] Rows joined(std::vector<Rows> sources);
/// The same numbers under another shape; rows of dimension 0 are regrouped.
[[nodiscard]] Rows reshaped(Rows source, Shape shape);
/// Rows [first, first + count) of the source.
[[nodiscard]] Rows row_range(Rows source, int64_t first, int64_t count);

}  // namespace whisper_s4y
