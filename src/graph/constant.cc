#include "graph/constant.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <utility>

#include "common/column_spreading.h"
#include "common/fail.h"
#include "common/half.h"

namespace whisper_s4y {
namespace {

constexpr int64_t kPieceNumbers = 1 << 18;

class BytesConstant : public ConstantData {
 public:
  explicit BytesConstant(std::span<const std::byte> bytes) : bytes_(bytes.begin(), bytes.end()) {}
  [[nodiscard]] uint64_t size() const override { return bytes_.size(); }
  void write(const ByteSink& sink) const override { sink(bytes_); }
  [[nodiscard]] std::string key() const override {
    return "bytes:" + std::string(reinterpret_cast<const char*>(bytes_.data()), bytes_.size());
  }

 private:
  std::vector<std::byte> bytes_;
};

/// Whether all exponents of IEEE numbers are below those of infinity and NaN.
template <typename Bits>
bool all_finite(std::span<const std::byte> bytes, Bits infinity) {
  const size_t count = bytes.size() / sizeof(Bits);
  Bits found = 0;  // no early end: this way several numbers are looked at at once
  for (size_t i = 0; i < count; ++i) {
    Bits bits = 0;
    std::memcpy(&bits, bytes.data() + i * sizeof(Bits), sizeof(Bits));
    found |= static_cast<Bits>((bits & infinity) == infinity);
  }
  return found == 0;
}

class FloatConstant : public ConstantData {
 public:
  FloatConstant(Rows source, DType type) : source_(std::move(source)), type_(type) {}
  [[nodiscard]] uint64_t size() const override { return byte_count(type_, source_->shape()); }

  void write(const ByteSink& sink) const override {
    if (const auto stored = source_->stored_as(type_); !stored.empty()) {
      const auto row_bytes = static_cast<int64_t>(stored.size()) / source_->rows();
      const int64_t step = std::max<int64_t>(1, (kPieceNumbers * 4) / row_bytes);
      for (int64_t row = 0; row < source_->rows(); row += step) {
        const int64_t count = std::min(step, source_->rows() - row);
        write_checked(sink, stored.subspan(static_cast<size_t>(row * row_bytes),
                                           static_cast<size_t>(count * row_bytes)));
        source_->release(row, count);
      }
      return;
    }
    std::vector<uint16_t> halves;
    for_each_rows(*source_, [&](int64_t, std::span<const float> numbers) {
      if (type_ == DType::f32) {
        write_checked(sink, std::as_bytes(numbers));
      } else {
        halves.resize(numbers.size());
        float_to_half(numbers, halves);
        write_checked(sink, std::as_bytes(std::span<const uint16_t>(halves)));
      }
    });
  }

  [[nodiscard]] std::string key() const override {
    return std::string(name_of(type_)) + ":" + source_->name();
  }

 private:
  void write_checked(const ByteSink& sink, std::span<const std::byte> bytes) const {
    const bool good = type_ == DType::f32 ? all_finite<uint32_t>(bytes, 0x7F800000U)
                                          : all_finite<uint16_t>(bytes, 0x7C00U);
    if (!good) {
      fail("Weight {} has a number that is not finite as {}: no model can be made of it.",
           source_->name(), name_of(type_));
    }
    sink(bytes);
  }

  Rows source_;
  DType type_;
};

/// Base of the sources below: keeps name, shape and origin.
class NamedRows : public RowSource {
 public:
  NamedRows(std::string name, Shape shape, std::optional<Origin> origin = {})
      : name_(std::move(name)), shape_(std::move(shape)), origin_(std::move(origin)) {}
  [[nodiscard]] const Shape& shape() const override { return shape_; }
  [[nodiscard]] const std::string& name() const override { return name_; }
  [[nodiscard]] std::optional<Origin> origin() const override { return origin_; }

 private:
  std::string name_;
  Shape shape_;
  std::optional<Origin> origin_;
};

/// The source's origin after `change`.
template <typename Change>
std::optional<Origin> changed(const RowSource& source, Change change) {
  std::optional<Origin> origin = source.origin();
  if (origin) change(*origin);
  return origin;
}

class MemoryRows : public NamedRows {
 public:
  MemoryRows(std::string name, Shape shape, std::vector<float> numbers)
      : NamedRows(std::move(name), std::move(shape)), numbers_(std::move(numbers)) {}
  void read(int64_t first, int64_t count, std::span<float> out) const override {
    std::copy_n(numbers_.begin() + first * row_size(), count * row_size(), out.begin());
  }

 private:
  std::vector<float> numbers_;
};

/// The numbers of another source with something done to whole rows of them in place.
class ChangedRows : public NamedRows {
 public:
  using Change = std::function<void(std::span<float>)>;

  ChangedRows(std::string name, std::optional<Origin> origin, Rows source, Change change)
      : NamedRows(std::move(name), source->shape(), std::move(origin)),
        source_(std::move(source)),
        change_(std::move(change)) {}
  void read(int64_t first, int64_t count, std::span<float> out) const override {
    source_->read(first, count, out);
    change_(out);
  }
  void release(int64_t first, int64_t count) const override { source_->release(first, count); }

 private:
  Rows source_;
  Change change_;
};

/// Calls operation(number, its column's one of `numbers`).
template <typename Operation>
ChangedRows::Change by_column(std::vector<float> numbers, Operation operation) {
  return [numbers = std::move(numbers), operation](std::span<float> rows) {
    for (size_t row = 0; row < rows.size(); row += numbers.size()) {
      for (size_t i = 0; i < numbers.size(); ++i) operation(rows[row + i], numbers[i]);
    }
  };
}

class ConvKernel : public NamedRows {
 public:
  explicit ConvKernel(const Rows& source)
      : NamedRows(source->name() + ":ohwi",
                  {source->shape()[0], 1, source->shape()[2], source->shape()[1]},
                  changed(*source, [](Origin& origin) { origin.taps_first = true; })),
        source_(source) {}
  void read(int64_t first, int64_t count, std::span<float> out) const override {
    const int64_t inputs = shape()[3];
    const int64_t taps = shape()[2];
    std::vector<float> rows(static_cast<size_t>(count * inputs * taps));
    source_->read(first, count, rows);
    for (int64_t row = 0; row < count; ++row) {
      const float* from = rows.data() + row * inputs * taps;
      float* to = out.data() + row * inputs * taps;
      for (int64_t input = 0; input < inputs; ++input) {
        for (int64_t tap = 0; tap < taps; ++tap)
          to[tap * inputs + input] = from[input * taps + tap];
      }
    }
  }
  void release(int64_t first, int64_t count) const override { source_->release(first, count); }

 private:
  Rows source_;
};

class JoinedRows : public NamedRows {
 public:
  JoinedRows(std::string name, Shape shape, std::vector<Rows> sources)
      : NamedRows(std::move(name), std::move(shape)), sources_(std::move(sources)) {}
  void read(int64_t first, int64_t count, std::span<float> out) const override {
    visit(first, count, [&](const RowSource& source, int64_t at, int64_t rows) {
      const auto numbers = static_cast<size_t>(rows * row_size());
      source.read(at, rows, out.first(numbers));
      out = out.subspan(numbers);
    });
  }
  void release(int64_t first, int64_t count) const override {
    visit(first, count,
          [](const RowSource& source, int64_t at, int64_t rows) { source.release(at, rows); });
  }

 private:
  template <typename Function>
  void visit(int64_t first, int64_t count, Function function) const {
    for (const Rows& source : sources_) {
      if (first < source->rows() && count > 0) {
        const int64_t rows = std::min(count, source->rows() - first);
        function(*source, first, rows);
        count -= rows;
        first = 0;
      } else {
        first -= source->rows();
      }
    }
  }

  std::vector<Rows> sources_;
};

class ReshapedRows : public NamedRows {
 public:
  ReshapedRows(std::string name, Rows source, Shape shape, int64_t source_rows_per_row)
      : NamedRows(std::move(name), std::move(shape), source->origin()),
        source_(std::move(source)),
        ratio_(source_rows_per_row) {}
  void read(int64_t first, int64_t count, std::span<float> out) const override {
    source_->read(first * ratio_, count * ratio_, out);
  }
  void release(int64_t first, int64_t count) const override {
    source_->release(first * ratio_, count * ratio_);
  }
  [[nodiscard]] std::span<const std::byte> stored_as(DType type) const override {
    return source_->stored_as(type);
  }

 private:
  Rows source_;
  int64_t ratio_;
};

class RowRange : public NamedRows {
 public:
  RowRange(std::string name, Rows source, Shape shape, int64_t first)
      : NamedRows(std::move(name), std::move(shape),
                  changed(*source, [&](Origin& origin) { origin.first_row += first; })),
        source_(std::move(source)),
        first_(first) {}
  void read(int64_t first, int64_t count, std::span<float> out) const override {
    source_->read(first_ + first, count, out);
  }
  void release(int64_t first, int64_t count) const override {
    source_->release(first_ + first, count);
  }
  [[nodiscard]] std::span<const std::byte> stored_as(DType type) const override {
    const auto all = source_->stored_as(type);
    if (all.empty()) return {};
    const size_t row_bytes = all.size() / static_cast<size_t>(source_->rows());
    return all.subspan(static_cast<size_t>(first_) * row_bytes,
                       static_cast<size_t>(rows()) * row_bytes);
  }

 private:
  Rows source_;
  int64_t first_;
};

/// Throws Error unless there is a number for each column of the matrix.
void check_columns(const RowSource& matrix, const RowSource& numbers) {
  const int64_t count = element_count(numbers.shape());
  if (matrix.shape().size() != 2 || count != matrix.row_size()) {
    fail("The columns of {} of shape {} cannot have {} numbers.", matrix.name(),
         to_string(matrix.shape()), count);
  }
}

/// What `change` makes of the rows of a source, which `change_origin` notes and the name ends with.
template <typename ChangeOrigin>
Rows changed_rows(const Rows& source, const std::string& suffix, ChangeOrigin change_origin,
                  ChangedRows::Change change) {
  return std::make_shared<ChangedRows>(source->name() + suffix, changed(*source, change_origin),
                                       source, std::move(change));
}

// What is done to the columns of a matrix, by `change`, and how it is named.

Rows shifted_by(const Rows& source, const RowSource& offsets, ChangedRows::Change change) {
  check_columns(*source, offsets);
  return changed_rows(
      source, fmt::format(":shifted({})", offsets.name()),
      [&](Origin& origin) { origin.offsets = offsets.name(); }, std::move(change));
}

Rows divided_by(const Rows& source, const RowSource& divisors, ChangedRows::Change change) {
  check_columns(*source, divisors);
  return changed_rows(
      source, fmt::format(":divided({})", divisors.name()),
      [&](Origin& origin) { origin.divisors = divisors.name(); }, std::move(change));
}

Rows spread_by(const Rows& source, ChangedRows::Change change) {
  if (source->shape().size() != 2) {
    fail("Cannot spread the columns of {} of shape {}.", source->name(),
         to_string(source->shape()));
  }
  return changed_rows(
      source, ":spread", [](Origin& origin) { origin.spread = true; }, std::move(change));
}

}  // namespace

std::shared_ptr<const ConstantData> bytes_constant(std::span<const std::byte> bytes) {
  return std::make_shared<BytesConstant>(bytes);
}

void RowSource::release(int64_t, int64_t) const {}

std::span<const std::byte> RowSource::stored_as(DType) const { return {}; }

void for_each_rows(const RowSource& source,
                   const std::function<void(int64_t, std::span<const float>)>& visit) {
  const int64_t step = std::clamp<int64_t>(kPieceNumbers / source.row_size(), 1, source.rows());
  std::vector<float> numbers(static_cast<size_t>(step * source.row_size()));
  for (int64_t row = 0; row < source.rows(); row += step) {
    const int64_t count = std::min(step, source.rows() - row);
    const auto piece = std::span(numbers).first(static_cast<size_t>(count * source.row_size()));
    source.read(row, count, piece);
    source.release(row, count);
    visit(row, piece);
  }
}

std::shared_ptr<const ConstantData> float_constant(Rows source, DType type) {
  if (type != DType::f32 && type != DType::f16) {
    fail("A float constant is float32 or float16, not {}.", name_of(type));
  }
  return std::make_shared<FloatConstant>(std::move(source), type);
}

Rows rows_of(std::string name, Shape shape, std::vector<float> numbers) {
  if (element_count(shape) != static_cast<int64_t>(numbers.size())) {
    fail("Constant {} of shape {} got {} numbers.", name, to_string(shape), numbers.size());
  }
  return std::make_shared<MemoryRows>(std::move(name), std::move(shape), std::move(numbers));
}

std::vector<float> all_numbers(const RowSource& source) {
  std::vector<float> numbers(static_cast<size_t>(element_count(source.shape())));
  source.read(0, source.rows(), numbers);
  return numbers;
}

Rows scaled(const Rows& source, float factor) {
  return changed_rows(
      source, fmt::format("*{}", factor), [&](Origin& origin) { origin.factor *= factor; },
      [factor](std::span<float> rows) {
        for (float& number : rows) number *= factor;
      });
}

Rows columns_divided(const Rows& source, const Rows& divisors) {
  std::vector<float> factors = all_numbers(*divisors);
  for (float& factor : factors) factor = 1.0F / factor;
  return divided_by(source, *divisors,
                    by_column(std::move(factors), [](float& n, float factor) { n *= factor; }));
}

Rows columns_shifted(const Rows& source, const Rows& offsets) {
  return shifted_by(source, *offsets,
                    by_column(all_numbers(*offsets), [](float& n, float offset) { n -= offset; }));
}

Rows columns_spread(const Rows& source) {
  return spread_by(source, [spreading = ColumnSpreading(static_cast<size_t>(source->row_size()))](
                               std::span<float> rows) { spreading.apply(rows); });
}

Rows columns_changed_before(Rows source, const Rows& offsets, const Rows& divisors,
                            bool are_spread) {
  const auto nothing = [](std::span<float>) {};
  if (offsets != nullptr) source = shifted_by(source, *offsets, nothing);
  source = divided_by(source, *divisors, nothing);
  return are_spread ? spread_by(source, nothing) : source;
}

Rows conv_kernel(const Rows& source) {
  if (source->shape().size() != 3) {
    fail("Convolution kernel {} must have 3 dimensions, found {}.", source->name(),
         to_string(source->shape()));
  }
  return std::make_shared<ConvKernel>(source);
}

Rows joined(std::vector<Rows> sources) {
  Shape shape = sources.at(0)->shape();
  std::string name = "joined(" + sources[0]->name();
  for (size_t i = 1; i < sources.size(); ++i) {
    if (sources[i]->row_size() != sources[0]->row_size()) {
      fail("Cannot join {} of shape {} to {} of shape {}.", sources[i]->name(),
           to_string(sources[i]->shape()), sources[0]->name(), to_string(sources[0]->shape()));
    }
    shape[0] += static_cast<int32_t>(sources[i]->rows());
    name += "," + sources[i]->name();
  }
  return std::make_shared<JoinedRows>(name + ")", std::move(shape), std::move(sources));
}

Rows reshaped(Rows source, Shape shape) {
  const int64_t rows = shape.empty() ? 1 : shape[0];
  if (element_count(shape) != element_count(source->shape()) || source->rows() % rows != 0) {
    fail("Cannot view {} of shape {} as {}.", source->name(), to_string(source->shape()),
         to_string(shape));
  }
  const int64_t ratio = source->rows() / rows;
  std::string name = source->name() + ":" + to_string(shape);
  return std::make_shared<ReshapedRows>(std::move(name), std::move(source), std::move(shape),
                                        ratio);
}

Rows row_range(Rows source, int64_t first, int64_t count) {
  if (first < 0 || count < 1 || first + count > source->rows()) {
    fail("Rows {} to {} lie outside {} of shape {}.", first, first + count, source->name(),
         to_string(source->shape()));
  }
  Shape shape = source->shape();
  shape[0] = static_cast<int32_t>(count);
  std::string name = fmt::format("{}[{}+{}]", source->name(), first, count);
  return std::make_shared<RowRange>(std::move(name), std::move(source), std::move(shape), first);
}

}  // namespace whisper_s4y
