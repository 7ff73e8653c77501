#include "common/column_spreading.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace whisper_s4y {
namespace {

constexpr size_t kMostNeighbours = 32;  // as wide as both factors of T are, about

/// Hadamard's transformation, not divided by anything, of every `power` numbers.
void hadamard(std::span<float> numbers, size_t power) {
  for (size_t half = 1; half < power; half *= 2) {
    for (size_t first = 0; first < numbers.size(); first += 2 * half) {
      float* const a = numbers.data() + first;
      float* const b = a + half;
      for (size_t i = 0; i < half; ++i) {
        const float difference = a[i] - b[i];
        a[i] += b[i];
        b[i] = difference;
      }
    }
  }
}

/// Reflects the numbers i, i + stride, i + 2 * stride ... of each i below `stride`.
void reflect(std::span<float> numbers, size_t stride) {
  const size_t count = numbers.size() / stride;
  if (count == 1) return;
  for (size_t i = 0; i < stride; ++i) {
    float sum = 0;
    for (size_t at = i; at < numbers.size(); at += stride) sum += numbers[at];
    const float twice_mean = 2 * sum / static_cast<float>(count);
    for (size_t at = i; at < numbers.size(); at += stride) numbers[at] -= twice_mean;
  }
}

/// xorshift32 of Marsaglia: the same everywhere.
std::vector<float> signs_of(size_t width) {
  std::vector<float> signs;
  uint32_t state = 2;
  for (size_t i = 0; i < width; ++i) {
    state ^= state << 13U;
    state ^= state >> 17U;
    state ^= state << 5U;
    signs.push_back(state < 0x80000000U ? 1.0F : -1.0F);
  }
  return signs;
}

}  // namespace

ColumnSpreading::ColumnSpreading(size_t width) : odd_(width), power_(1), signs_(signs_of(width)) {
  while (odd_ % 2 == 0 && odd_ > 0) {
    odd_ /= 2;
    power_ *= 2;
  }
}

void ColumnSpreading::transform(std::span<float> row) const {
  hadamard(row, power_);
  reflect(row, power_);
}

void ColumnSpreading::apply(std::span<float> rows) const {
  const size_t width = signs_.size();
  const float scale = 1.0F / static_cast<float>(power_);  // of both transformations
  for (size_t first = 0; first < rows.size(); first += width) {
    const std::span<float> row = rows.subspan(first, width);
    transform(row);
    for (size_t i = 0; i < width; ++i) row[i] *= signs_[i] * scale;
    transform(row);
  }
}

ColumnSpreading::Factors ColumnSpreading::factors() const {
  Factors result{.inner_width = std::min(power_, kMostNeighbours)};
  const size_t n = result.inner_width;
  const auto columns_of = [](size_t size, const auto& transform) {
    std::vector<float> matrix(size * size, 0.0F);
    for (size_t i = 0; i < size; ++i) {
      const std::span<float> column = std::span(matrix).subspan(i * size, size);
      column[i] = 1;
      transform(column);
    }
    return matrix;
  };
  const auto divided = [](std::span<float> numbers, size_t power) {
    for (float& number : numbers) number /= std::sqrt(static_cast<float>(power));
  };
  result.inner = columns_of(n, [&](std::span<float> column) {
    hadamard(column, n);
    divided(column, n);
  });
  result.outer = columns_of(signs_.size() / n, [&](std::span<float> column) {
    hadamard(column, power_ / n);
    reflect(column, power_ / n);
    divided(column, power_ / n);
  });
  return result;
}

}  // namespace whisper_s4y
