#include "graph/quantize.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "whisper_s4y/error.h"

namespace whisper_s4y {
namespace {

/// Integers of `bits` bits with one scale a row.
class RowQuantized : public ConstantData {
 public:
  RowQuantized(Rows source, std::shared_ptr<const Quantization> quantization, int bits)
      : source_(std::move(source)), quantization_(std::move(quantization)), bits_(bits) {}

  [[nodiscard]] uint64_t size() const override {
    return byte_count(bits_ == 8 ? DType::i8 : DType::i4, source_->shape());
  }

  [[nodiscard]] std::string key() const override {
    return fmt::format("int{}:{}", bits_, source_->name());
  }

  void write(const ByteSink& sink) const override {
    const float limit = bits_ == 8 ? 127.0F : 7.0F;
    const auto row_size = static_cast<size_t>(source_->row_size());
    std::vector<int8_t> integers;
    for_each_rows(*source_, [&](int64_t first, std::span<const float> numbers) {
      integers.resize(numbers.size());
      for (size_t row = 0; row * row_size < numbers.size(); ++row) {
        const float inverse = 1.0F / quantization_->scales[static_cast<size_t>(first) + row];
        const float* from = numbers.data() + row * row_size;
        int8_t* to = integers.data() + row * row_size;
        for (size_t i = 0; i < row_size; ++i) {
          to[i] = static_cast<int8_t>(std::clamp(std::nearbyint(from[i] * inverse), -limit, limit));
        }
      }
      if (bits_ == 4) {
        for (size_t i = 0; i + 1 < integers.size(); i += 2) {
          integers[i / 2] =
              static_cast<int8_t>((integers[i] & 0x0F) | ((integers[i + 1] & 0x0F) << 4));
        }
        integers.resize(integers.size() / 2);
      }
      sink(std::as_bytes(std::span<const int8_t>(integers)));
    });
  }

 private:
  Rows source_;
  std::shared_ptr<const Quantization> quantization_;
  int bits_;
};

QuantizedConstant quantized_rows(const Rows& source, int bits) {
  auto quantization = std::make_shared<Quantization>();
  quantization->scales = row_maxima(*source);
  for (float& scale : quantization->scales) {
    scale /= bits == 8 ? 127.0F : 7.0F;
    // Below the normal numbers the inverse would overflow; such a row counts as zeros.
    if (scale < std::numeric_limits<float>::min()) scale = 1.0F;
  }
  return {std::make_shared<RowQuantized>(source, quantization, bits), quantization};
}

}  // namespace

std::vector<float> row_maxima(const RowSource& source) {
  std::vector<float> maxima(static_cast<size_t>(source.rows()), 0.0F);
  const auto row_size = static_cast<size_t>(source.row_size());
  for_each_rows(source, [&](int64_t first, std::span<const float> numbers) {
    for (size_t row = 0; row * row_size < numbers.size(); ++row) {
      float maximum = 0;
      for (const float number : numbers.subspan(row * row_size, row_size)) {
        if (!std::isfinite(number)) {
          fail("Weight {} has a number that is not finite in row {}: it cannot be quantised.",
               source.name(), first + static_cast<int64_t>(row));
        }
        maximum = std::max(maximum, std::abs(number));
      }
      maxima[static_cast<size_t>(first) + row] = maximum;
    }
  });
  return maxima;
}

QuantizedConstant int8_rows(const Rows& source) { return quantized_rows(source, 8); }

QuantizedConstant int4_rows(const Rows& source) {
  if (source->row_size() % 2 != 0) {
    fail("Weight {} of shape {} has rows of odd size: it cannot be packed as int4.", source->name(),
         to_string(source->shape()));
  }
  return quantized_rows(source, 4);
}

}  // namespace whisper_s4y
