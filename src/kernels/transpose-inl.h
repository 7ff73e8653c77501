// Rows to columns, of numbers of 32 bits. For files that Highway compiles for each processor.
#if defined(WHISPER_S4Y_KERNELS_TRANSPOSE_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef WHISPER_S4Y_KERNELS_TRANSPOSE_INL_H
#undef WHISPER_S4Y_KERNELS_TRANSPOSE_INL_H
#else
#define WHISPER_S4Y_KERNELS_TRANSPOSE_INL_H
#endif

#include <hwy/highway.h>

#include <cstddef>

HWY_BEFORE_NAMESPACE();
namespace whisper_s4y {
namespace HWY_NAMESPACE {
namespace {

/// to[column * to_stride + row] = from[row * from_stride + column].
template <typename Number>
HWY_INLINE void transpose(const Number* from, size_t from_stride, size_t rows, size_t columns,
                          Number* to, size_t to_stride) {
  static_assert(sizeof(Number) == 4);
  size_t done = 0;  // rows
#if HWY_TARGET != HWY_SCALAR
  namespace hn = hwy::HWY_NAMESPACE;
  const hn::FixedTag<Number, 4> four;
  const hn::RepartitionToWide<decltype(four)> two;
  done = rows / 4 * 4;
  for (size_t row = 0; row < done; row += 4) {
    size_t column = 0;
    for (; column + 4 <= columns; column += 4) {
      const Number* at = from + row * from_stride + column;
      const auto a = hn::LoadU(four, at);
      const auto b = hn::LoadU(four, at + from_stride);
      const auto c = hn::LoadU(four, at + 2 * from_stride);
      const auto d = hn::LoadU(four, at + 3 * from_stride);
      const auto ab_low = hn::BitCast(two, hn::InterleaveLower(four, a, b));
      const auto ab_high = hn::BitCast(two, hn::InterleaveUpper(four, a, b));
      const auto cd_low = hn::BitCast(two, hn::InterleaveLower(four, c, d));
      const auto cd_high = hn::BitCast(two, hn::InterleaveUpper(four, c, d));
      const auto put = [&](size_t i, auto pair) HWY_ATTR {
        hn::StoreU(hn::BitCast(four, pair), four, to + (column + i) * to_stride + row);
      };
      put(0, hn::InterleaveLower(two, ab_low, cd_low));
      put(1, hn::InterleaveUpper(two, ab_low, cd_low));
      put(2, hn::InterleaveLower(two, ab_high, cd_high));
      put(3, hn::InterleaveUpper(two, ab_high, cd_high));
    }
    for (; column < columns; ++column) {
      for (size_t r = row; r < row + 4; ++r) {
        to[column * to_stride + r] = from[r * from_stride + column];
      }
    }
  }
#endif
  for (size_t row = done; row < rows; ++row) {
    for (size_t column = 0; column < columns; ++column) {
      to[column * to_stride + row] = from[row * from_stride + column];
    }
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace whisper_s4y
HWY_AFTER_NAMESPACE();

#endif
