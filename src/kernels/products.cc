#include "kernels/products.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "common/half.h"
#include "kernels/put_output.h"
#include "kernels/targets.h"
#include "kernels/vnni.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/products.cc"
#include <hwy/cache_control.h>
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace whisper_s4y {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

constexpr hn::ScalableTag<float> kFloats;
constexpr hn::Rebind<hwy::float16_t, decltype(kFloats)> kHalves;
constexpr hn::Rebind<uint16_t, decltype(kFloats)> kHalfBits;

using Floats = hn::Vec<decltype(kFloats)>;

constexpr size_t kTogether = 4;  // outputs

/// The sum of each vector's lanes.
template <typename D>
HWY_INLINE void totals_of([[maybe_unused]] D d, const hn::Vec<D> (&vectors)[kTogether],
                          float* out) {
#if HWY_TARGET == HWY_SCALAR
  for (size_t i = 0; i < kTogether; ++i) out[i] = static_cast<float>(hn::GetLane(vectors[i]));
#else
  // Of a and b: a0 + a2, b0 + b2, a1 + a3, b1 + b3 in each block of four lanes.
  const auto fold = [d](hn::Vec<D> a, hn::Vec<D> b) HWY_ATTR {
    return hn::Add(hn::InterleaveLower(d, a, b), hn::InterleaveUpper(d, a, b));
  };
  constexpr hn::RepartitionToWide<D> kPairsOfLanes;
  const auto ab = hn::BitCast(kPairsOfLanes, fold(vectors[0], vectors[1]));
  const auto cd = hn::BitCast(kPairsOfLanes, fold(vectors[2], vectors[3]));
  const auto all = hn::Add(hn::BitCast(d, hn::InterleaveLower(kPairsOfLanes, ab, cd)),
                           hn::BitCast(d, hn::InterleaveUpper(kPairsOfLanes, ab, cd)));
  constexpr hn::Half<D> kHalfLanes;
  constexpr hn::FixedTag<hn::TFromD<D>, kTogether> kFour;
  const auto to_floats = [](auto sums) HWY_ATTR {
    if constexpr (hwy::IsFloat<hn::TFromD<D> >()) {
      return sums;
    } else {
      return hn::ConvertTo(hn::FixedTag<float, kTogether>(), sums);
    }
  };
  constexpr hn::FixedTag<float, kTogether> kFourFloats;
  if constexpr (hn::MaxLanes(D()) == kTogether) {
    hn::StoreU(to_floats(all), kFourFloats, out);
  } else {
    const auto sum = hn::Add(hn::LowerHalf(kHalfLanes, all), hn::UpperHalf(kHalfLanes, all));
    if constexpr (hn::MaxLanes(D()) == 2 * kTogether) {
      hn::StoreU(to_floats(sum), kFourFloats, out);
    } else {
      const auto last = hn::Add(hn::LowerHalf(kFour, sum), hn::UpperHalf(kFour, sum));
      hn::StoreU(to_floats(last), kFourFloats, out);
    }
  }
#endif
}

// What a column's weights are multiplied with and how, for each way of storing them. `Type` is what
// one element of a row takes, kLanes how many are taken at once; Sums adds up one output.

struct OfFloats {
  using Type = float;
  using Factor = float;
  static constexpr size_t kLanes = hn::MaxLanes(kFloats);
  using Sums = Floats;
  static HWY_INLINE Sums zero() { return hn::Zero(kFloats); }
  static HWY_INLINE Floats weights(const Type* at) { return hn::LoadU(kFloats, at); }
  static HWY_INLINE Floats factors(const Factor* at) { return hn::LoadU(kFloats, at); }
  static HWY_INLINE Sums add(Floats w, Floats x, Sums sums) { return hn::MulAdd(w, x, sums); }
  static HWY_INLINE Sums join(Sums a, Sums b) { return hn::Add(a, b); }
  static HWY_INLINE void totals(const Sums (&sums)[kTogether], float* out) {
    totals_of(kFloats, sums, out);
  }
};

struct OfHalves : OfFloats {
  using Type = uint16_t;
  static HWY_INLINE Floats weights(const Type* at) {
    return hn::PromoteTo(kFloats, hn::BitCast(kHalves, hn::LoadU(kHalfBits, at)));
  }
};

#if HWY_TARGET == HWY_SCALAR

struct OfBytes {
  using Type = int8_t;
  using Factor = int16_t;
  static constexpr size_t kLanes = 1;
  using Sums = int32_t;
  static Sums zero() { return 0; }
  static int32_t weights(const Type* at) { return *at; }
  static int32_t factors(const Factor* at) { return *at; }
  static Sums add(int32_t w, int32_t x, Sums sums) { return sums + w * x; }
  static Sums join(Sums a, Sums b) { return a + b; }
  static void totals(const Sums (&sums)[kTogether], float* out) {
    std::copy_n(sums, kTogether, out);
  }
};

#else

constexpr hn::ScalableTag<int16_t> kShorts;
constexpr hn::RepartitionToWide<decltype(kShorts)> kInts;
constexpr hn::Rebind<int8_t, decltype(kShorts)> kBytes;

struct OfBytes {
  using Type = int8_t;
  using Factor = int16_t;
  static constexpr size_t kLanes = hn::MaxLanes(kShorts);
  using Sums = hn::Vec<decltype(kInts)>;
  using Shorts = hn::Vec<decltype(kShorts)>;
  static HWY_INLINE Sums zero() { return hn::Zero(kInts); }
  static HWY_INLINE Shorts weights(const Type* at) {
    return hn::PromoteTo(kShorts, hn::LoadU(kBytes, at));
  }
  static HWY_INLINE Shorts factors(const Factor* at) { return hn::LoadU(kShorts, at); }
  static HWY_INLINE Sums add(Shorts w, Shorts x, Sums sums) {
    Sums odd = hn::Zero(kInts);
    sums = hn::ReorderWidenMulAccumulate(kInts, w, x, sums, odd);
    return hn::Add(sums, odd);  // zero where the processor adds pairs
  }
  static HWY_INLINE Sums join(Sums a, Sums b) { return hn::Add(a, b); }
  static HWY_INLINE void totals(const Sums (&sums)[kTogether], float* out) {
    totals_of(kInts, sums, out);
  }
};

#endif

// Memory is what a product with few rows waits for: weights are read once, from one end to the
// other, and some of them are asked for early.
constexpr size_t kCacheLine = 64;

/// One row of weights times kRows rows of activations.
template <typename Of, size_t kRows>
HWY_INLINE void add_up(const typename Of::Type* weights, size_t columns,
                       const typename Of::Factor* in, size_t in_stride,
                       typename Of::Sums (&sums)[kRows]) {
  constexpr size_t kSums = kRows == 1 ? 4 : kRows == 2 ? 2 : 1;  // so that no sum waits for itself
  constexpr size_t kBytes = kSums * Of::kLanes * sizeof(typename Of::Type);
  typename Of::Sums parts[kRows][kSums];
  for (auto& of_row : parts) {
    for (auto& sum : of_row) sum = Of::zero();
  }
  const auto add = [&](const typename Of::Type* at, size_t column, size_t s) HWY_ATTR {
    const auto w = Of::weights(at);
    for (size_t r = 0; r < kRows; ++r) {
      parts[r][s] = Of::add(w, Of::factors(in + r * in_stride + column), parts[r][s]);
    }
  };
  size_t column = 0;
  for (; column + kSums * Of::kLanes <= columns; column += kSums * Of::kLanes) {
    const auto* at = weights + column;
    for (size_t line = 0; line < kBytes; line += kCacheLine) {
      hwy::Prefetch(reinterpret_cast<const char*>(at) + kBytesAhead + line);
    }
    for (size_t s = 0; s < kSums; ++s) add(at + s * Of::kLanes, column + s * Of::kLanes, s);
  }
  for (; column + Of::kLanes <= columns; column += Of::kLanes) add(weights + column, column, 0);
  if (column < columns) {
    typename Of::Type rest[Of::kLanes] = {};
    std::memcpy(rest, weights + column, (columns - column) * sizeof(rest[0]));
    add(rest, column, 0);
  }
  for (size_t r = 0; r < kRows; ++r) {
    sums[r] = parts[r][0];
    for (size_t s = 1; s < kSums; ++s) sums[r] = Of::join(sums[r], parts[r][s]);
  }
}

/// Outputs [first, last) of kRows rows from `row` on.
template <typename Of, size_t kRows>
HWY_INLINE void outputs_of(const StoredMatrix& matrix, const typename Of::Factor* in,
                           size_t in_stride, const float* scales, size_t row, size_t first,
                           size_t last, const ProductTarget& target) {
  const auto* weights = reinterpret_cast<const typename Of::Type*>(matrix.bytes);
  for (size_t output = first; output < last; output += kTogether) {
    const size_t count = std::min(kTogether, last - output);
    typename Of::Sums sums[kRows][kTogether];
    for (size_t o = 0; o < kTogether; ++o) {
      typename Of::Sums of_rows[kRows];
      const size_t of = output + std::min(o, count - 1);  // the last one again where there is none
      add_up<Of, kRows>(weights + of * matrix.columns, matrix.columns, in + row * in_stride,
                        in_stride, of_rows);
      for (size_t r = 0; r < kRows; ++r) sums[r][o] = of_rows[r];
    }
    for (size_t r = 0; r < kRows; ++r) {
      const float scale = scales == nullptr ? 1.0F : scales[row + r];
      float totals[kTogether];
      Of::totals(sums[r], totals);
      for (size_t o = 0; o < count; ++o)
        put_output(matrix, target, row + r, output + o, totals[o] * scale);
    }
  }
}

/// Few weights at a time, so that they are still at hand for all rows of activations.
constexpr size_t kBlockOfOutputs = 32;

template <typename Of>
void product(const StoredMatrix& matrix, const typename Of::Factor* in, size_t in_stride,
             const float* scales, size_t rows, size_t first, size_t last,
             const ProductTarget& target) {
  for (size_t block = first; block < last; block += kBlockOfOutputs) {
    const size_t end = std::min(block + kBlockOfOutputs, last);
    size_t row = 0;
    const auto together = [&]<size_t kRows>() HWY_ATTR {
      for (; row + kRows <= rows; row += kRows) {
        outputs_of<Of, kRows>(matrix, in, in_stride, scales, row, block, end, target);
      }
    };
    together.template operator()<5>();  // the hypotheses of a beam search
    together.template operator()<3>();
    together.template operator()<2>();
    together.template operator()<1>();
  }
}

#if HWY_TARGET == HWY_SCALAR

void product_int4(const StoredMatrix& matrix, const int16_t* in, size_t in_stride,
                  const float* row_scales, float* block_scales, size_t rows, size_t first,
                  size_t last, const ProductTarget& target) {
  const size_t blocks = matrix.columns / kScaledBlock;
  const auto* weights = reinterpret_cast<const int8_t*>(matrix.bytes);
  for (size_t output = first; output < last; ++output) {
    const int8_t* pairs = weights + output * matrix.columns / 2;
    half_to_float(
        {reinterpret_cast<const uint16_t*>(matrix.block_scales) + output * blocks, blocks},
        {block_scales, blocks});
    for (size_t row = 0; row < rows; ++row) {
      const int16_t* x = in + row * in_stride;
      float total = 0;
      for (size_t block = 0; block < blocks; ++block) {
        int32_t sum = 0;
        for (size_t i = 0; i < kScaledBlock / 2; ++i) {
          const int32_t pair = pairs[block * kScaledBlock / 2 + i];
          const int16_t* at = x + block * kScaledBlock + i;
          const int32_t odd = pair >> 4;
          sum += (((pair & 15) ^ 8) - 8) * at[0] + odd * at[kScaledBlock / 2];
        }
        total += static_cast<float>(sum) * block_scales[block];
      }
      put_output(matrix, target, row, output, total * row_scales[row]);
    }
  }
}

#else

// Int4: no more than a block's even or odd columns at once.

constexpr hn::CappedTag<int16_t, kScaledBlock / 2> kHalfBlock;
constexpr hn::Rebind<int8_t, decltype(kHalfBlock)> kPairs;
constexpr hn::RepartitionToWide<decltype(kHalfBlock)> kHalfBlockInts;
constexpr hn::RebindToFloat<decltype(kHalfBlockInts)> kHalfBlockFloats;
constexpr hn::Rebind<hwy::float16_t, decltype(kHalfBlockFloats)> kSomeHalves;
constexpr hn::Rebind<uint16_t, decltype(kHalfBlockFloats)> kSomeHalfBits;

/// `count` float16 numbers; `out` has room for a vector more.
HWY_INLINE void widen(const std::byte* halves, size_t count, float* out) {
  constexpr size_t kLanes = hn::MaxLanes(kHalfBlockFloats);
  for (size_t i = 0; i < count; i += kLanes) {
    uint16_t bits[kLanes] = {};
    std::memcpy(bits, halves + i * sizeof(uint16_t),
                std::min(kLanes, count - i) * sizeof(uint16_t));
    const auto some = hn::BitCast(kSomeHalves, hn::LoadU(kSomeHalfBits, bits));
    hn::StoreU(hn::PromoteTo(kHalfBlockFloats, some), kHalfBlockFloats, out + i);
  }
}

void product_int4(const StoredMatrix& matrix, const int16_t* in, size_t in_stride,
                  const float* row_scales, float* block_scales, size_t rows, size_t first,
                  size_t last, const ProductTarget& target) {
  constexpr size_t kLanes = hn::MaxLanes(kHalfBlock);
  const size_t blocks = matrix.columns / kScaledBlock;
  const auto* weights = reinterpret_cast<const int8_t*>(matrix.bytes);
  for (size_t output = first; output < last; ++output) {
    widen(matrix.block_scales + output * blocks * sizeof(uint16_t), blocks, block_scales);
    const int8_t* row_of_weights = weights + output * matrix.columns / 2;
    for (size_t row = 0; row < rows; ++row) {
      const int16_t* x = in + row * in_stride;
      auto total = hn::Zero(kHalfBlockFloats);
      for (size_t block = 0; block < blocks; ++block) {
        auto sums = hn::Zero(kHalfBlockInts);
        auto odd = hn::Zero(kHalfBlockInts);
        for (size_t i = 0; i < kScaledBlock / 2; i += kLanes) {
          const auto pairs = hn::PromoteTo(
              kHalfBlock, hn::LoadU(kPairs, row_of_weights + block * kScaledBlock / 2 + i));
          const auto evens = hn::ShiftRight<12>(hn::ShiftLeft<12>(pairs));
          const auto odds = hn::ShiftRight<4>(pairs);
          const int16_t* at = x + block * kScaledBlock + i;
          sums = hn::ReorderWidenMulAccumulate(kHalfBlockInts, evens, hn::LoadU(kHalfBlock, at),
                                               sums, odd);
          sums = hn::ReorderWidenMulAccumulate(
              kHalfBlockInts, odds, hn::LoadU(kHalfBlock, at + kScaledBlock / 2), sums, odd);
        }
        total = hn::MulAdd(hn::ConvertTo(kHalfBlockFloats, hn::Add(sums, odd)),
                           hn::Set(kHalfBlockFloats, block_scales[block]), total);
      }
      const float sum = hn::GetLane(hn::SumOfLanes(kHalfBlockFloats, total));
      put_output(matrix, target, row, output, sum * row_scales[row]);
    }
  }
}

#endif

void product_f32(const StoredMatrix& matrix, const float* in, size_t in_stride, size_t rows,
                 size_t first, size_t last, const ProductTarget& target) {
  product<OfFloats>(matrix, in, in_stride, nullptr, rows, first, last, target);
}

void product_f16(const StoredMatrix& matrix, const float* in, size_t in_stride, size_t rows,
                 size_t first, size_t last, const ProductTarget& target) {
  product<OfHalves>(matrix, in, in_stride, nullptr, rows, first, last, target);
}

void product_int8(const StoredMatrix& matrix, const int16_t* in, size_t in_stride,
                  const float* scales, size_t rows, size_t first, size_t last,
                  const ProductTarget& target) {
  product<OfBytes>(matrix, in, in_stride, scales, rows, first, last, target);
}

/// Of the magnitudes of `count` values.
void sum_magnitudes(const float* values, size_t count, float& sum, float& largest) {
  auto sums = hn::Zero(kFloats);
  auto most = hn::Zero(kFloats);
  size_t i = 0;
  for (; i + hn::MaxLanes(kFloats) <= count; i += hn::MaxLanes(kFloats)) {
    const auto magnitude = hn::Abs(hn::LoadU(kFloats, values + i));
    sums = hn::Add(sums, magnitude);
    most = hn::Max(most, magnitude);
  }
  sum = hn::GetLane(hn::SumOfLanes(kFloats, sums));
  largest = hn::GetLane(hn::MaxOfLanes(kFloats, most));
  for (; i < count; ++i) {
    sum += std::abs(values[i]);
    largest = std::max(largest, std::abs(values[i]));
  }
}

/// values[i] * factor, rounded, of `stride` numbers, a multiple of the lanes.
void round_all(const float* values, size_t stride, float factor, int16_t* out) {
  constexpr hn::Rebind<int16_t, decltype(kFloats)> kLaneShorts;
  const auto times = hn::Set(kFloats, factor);
  for (size_t i = 0; i < stride; i += hn::MaxLanes(kFloats)) {
    const auto whole = hn::NearestInt(hn::Mul(hn::LoadU(kFloats, values + i), times));
    hn::StoreU(hn::DemoteTo(kLaneShorts, whole), kLaneShorts, out + i);
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace whisper_s4y
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace whisper_s4y {
namespace {

HWY_EXPORT(product_f32);
HWY_EXPORT(product_f16);
HWY_EXPORT(product_int8);
HWY_EXPORT(product_int4);
HWY_EXPORT(sum_magnitudes);
HWY_EXPORT(round_all);

constexpr size_t kLongestVector = 64;  // columns are filled up to a multiple of it

}  // namespace

void PreparedRows::Forms::add(const StoredMatrix& matrix) {
  floats |= matrix.kind == WeightKind::f32 || matrix.kind == WeightKind::f16;
  integers |= matrix.kind == WeightKind::i8;
  split |= matrix.kind == WeightKind::i4;
}

PreparedRows::PreparedRows(size_t rows, size_t columns)
    : columns_(columns),
      stride_((columns + kLongestVector - 1) / kLongestVector * kLongestVector),
      floats_(rows * stride_),
      integers_(rows * stride_),
      split_(rows * stride_),
      scales_(rows) {}

void PreparedRows::set(size_t row, const float* values, const Forms& forms) {
  float* floats = floats_.data() + row * stride_;
  std::copy_n(values, columns_, floats);
  if (!forms.integers && !forms.split) return;
  float sum = 0;
  float largest = 0;
  HWY_DYNAMIC_DISPATCH(sum_magnitudes)(floats, columns_, sum, largest);
  // However the signs fall, |sum of products| <= 128 * (sum of the integers' magnitudes) < 2^31.
  constexpr float kMostOfSums = 16.7e6F;
  float steps = 0;
  if (largest > 0)
    steps = std::min(32767.0F / largest, (kMostOfSums - static_cast<float>(columns_)) / sum);
  if (!std::isfinite(steps)) steps = 0;
  scales_[row] = steps > 0 ? 1.0F / steps : 0.0F;
  int16_t* integers = integers_.data() + row * stride_;
  HWY_DYNAMIC_DISPATCH(round_all)(floats, stride_, steps, integers);
  if (!forms.split) return;
  int16_t* split = split_.data() + row * stride_;
  for (size_t block = 0; block < columns_; block += kScaledBlock) {
    for (size_t i = 0; i < kScaledBlock / 2; ++i) {
      split[block + i] = integers[block + 2 * i];
      split[block + kScaledBlock / 2 + i] = integers[block + 2 * i + 1];
    }
  }
}

void multiply(const StoredMatrix& matrix, const PreparedRows& in, size_t rows, size_t first,
              size_t last, const ProductTarget& target) {
  if (matrix.kind == WeightKind::i8 && has_vnni()) {
    multiply_vnni(matrix, in.integers(0), in.stride(), in.scales(), rows, first, last, target);
  } else {
    multiply_portably(matrix, in, rows, first, last, target);
  }
}

void multiply_portably(const StoredMatrix& matrix, const PreparedRows& in, size_t rows,
                       size_t first, size_t last, const ProductTarget& target) {
  switch (matrix.kind) {
    case WeightKind::f32:
      HWY_DYNAMIC_DISPATCH(product_f32)
      (matrix, in.floats(0), in.stride(), rows, first, last, target);
      return;
    case WeightKind::f16:
      HWY_DYNAMIC_DISPATCH(product_f16)
      (matrix, in.floats(0), in.stride(), rows, first, last, target);
      return;
    case WeightKind::i8:
      HWY_DYNAMIC_DISPATCH(product_int8)
      (matrix, in.integers(0), in.stride(), in.scales(), rows, first, last, target);
      return;
    case WeightKind::i4: {
      std::vector<float> block_scales(matrix.columns / kScaledBlock + kLongestVector);
      HWY_DYNAMIC_DISPATCH(product_int4)
      (matrix, in.split(0), in.stride(), in.scales(), block_scales.data(), rows, first, last,
       target);
      return;
    }
  }
}

}  // namespace whisper_s4y
#endif
