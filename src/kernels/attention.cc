#include "kernels/attention.h"

#include <algorithm>
#include <cstring>

#include "common/half.h"
#include "kernels/row_ops.h"
#include "kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/attention.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/transpose-inl.h"

#ifndef WHISPER_S4Y_KERNELS_ATTENTION_BLOCK
#define WHISPER_S4Y_KERNELS_ATTENTION_BLOCK
namespace whisper_s4y {
constexpr size_t kBlock = 64;  // positions; a multiple of the lanes of every processor
}
#endif

HWY_BEFORE_NAMESPACE();
namespace whisper_s4y {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

constexpr hn::ScalableTag<float> kFloats;
constexpr size_t kLanes = hn::MaxLanes(kFloats);
constexpr hn::Rebind<hwy::float16_t, decltype(kFloats)> kHalves;
constexpr hn::Rebind<uint16_t, decltype(kFloats)> kHalfBits;
using Floats = hn::Vec<decltype(kFloats)>;

HWY_INLINE Floats load(const float* at) { return hn::LoadU(kFloats, at); }
HWY_INLINE Floats load(const uint16_t* at) {
  return hn::PromoteTo(kFloats, hn::BitCast(kHalves, hn::LoadU(kHalfBits, at)));
}

// A block of positions is worked on in parts of so many vectors as there are registers for.
constexpr size_t kVectors = kLanes >= 8 ? kBlock / kLanes / (kLanes == 8 ? 2 : 1) : 4;

template <typename Number>
void scores_of(const Number* keys, size_t blocks, size_t head_size, const float* queries,
               size_t query_stride, size_t rows, float* scores, size_t stride) {
  for (size_t block = 0; block < blocks; ++block) {
    const Number* block_of_keys = keys + block * head_size * kBlock;
    for (size_t row = 0; row < rows; ++row) {
      const float* query = queries + row * query_stride;
      float* out = scores + row * stride + block * kBlock;
      for (size_t part = 0; part < kBlock; part += kVectors * kLanes) {
        Floats sums[kVectors];
        for (Floats& sum : sums) sum = hn::Zero(kFloats);
        for (size_t i = 0; i < head_size; ++i) {
          const auto q = hn::Set(kFloats, query[i]);
          const Number* at = block_of_keys + i * kBlock + part;
          for (size_t v = 0; v < kVectors; ++v) {
            sums[v] = hn::MulAdd(q, load(at + v * kLanes), sums[v]);
          }
        }
        for (size_t v = 0; v < kVectors; ++v) hn::StoreU(sums[v], kFloats, out + part + v * kLanes);
      }
    }
  }
}

template <typename Number, size_t kRows>
HWY_INLINE void mix_rows(const Number* values, size_t head_size, const float* probabilities,
                         size_t stride, float* out, size_t out_stride) {
  constexpr size_t kSums = kRows >= 4 ? 1 : 4 / kRows;  // enough that no sum waits for itself
  for (size_t i = 0; i < head_size; ++i) {
    Floats sums[kRows][kSums];
    for (auto& of_row : sums) {
      for (Floats& sum : of_row) sum = hn::Zero(kFloats);
    }
    const Number* at = values + i * stride;
    for (size_t t = 0; t < stride; t += kSums * kLanes) {
      for (size_t s = 0; s < kSums; ++s) {
        const auto value = load(at + t + s * kLanes);
        for (size_t r = 0; r < kRows; ++r) {
          const auto p = hn::LoadU(kFloats, probabilities + r * stride + t + s * kLanes);
          sums[r][s] = hn::MulAdd(p, value, sums[r][s]);
        }
      }
    }
    for (size_t r = 0; r < kRows; ++r) {
      Floats sum = sums[r][0];
      for (size_t s = 1; s < kSums; ++s) sum = hn::Add(sum, sums[r][s]);
      out[r * out_stride + i] = hn::GetLane(hn::SumOfLanes(kFloats, sum));
    }
  }
}

template <typename Number>
void mix_of(const Number* values, size_t head_size, const float* probabilities, size_t stride,
            size_t rows, float* out, size_t out_stride) {
  size_t row = 0;
  const auto together = [&]<size_t kRows>() HWY_ATTR {
    for (; row + kRows <= rows; row += kRows) {
      mix_rows<Number, kRows>(values, head_size, probabilities + row * stride, stride,
                              out + row * out_stride, out_stride);
    }
  };
  together.template operator()<4>();
  together.template operator()<2>();
  together.template operator()<1>();
}

void scores_f32(const float* keys, size_t blocks, size_t head_size, const float* queries,
                size_t query_stride, size_t rows, float* scores, size_t stride) {
  scores_of(keys, blocks, head_size, queries, query_stride, rows, scores, stride);
}
void scores_f16(const uint16_t* keys, size_t blocks, size_t head_size, const float* queries,
                size_t query_stride, size_t rows, float* scores, size_t stride) {
  scores_of(keys, blocks, head_size, queries, query_stride, rows, scores, stride);
}
void mix_f32(const float* values, size_t head_size, const float* probabilities, size_t stride,
             size_t rows, float* out, size_t out_stride) {
  mix_of(values, head_size, probabilities, stride, rows, out, out_stride);
}
void mix_f16(const uint16_t* values, size_t head_size, const float* probabilities, size_t stride,
             size_t rows, float* out, size_t out_stride) {
  mix_of(values, head_size, probabilities, stride, rows, out, out_stride);
}

float dot(const float* a, const float* b, size_t count) {
  auto sums = hn::Zero(kFloats);
  size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    sums = hn::MulAdd(hn::LoadU(kFloats, a + i), hn::LoadU(kFloats, b + i), sums);
  }
  float sum = hn::GetLane(hn::SumOfLanes(kFloats, sums));
  for (; i < count; ++i) sum += a[i] * b[i];
  return sum;
}

void turn(const float* rows, size_t stride, size_t count, size_t width, float* out) {
  transpose(rows, stride, count, width, out, kBlock);
}

void dots(const float* query, const float* keys, size_t width, const uint32_t* slots, size_t count,
          size_t head_size, float* scores) {
  for (size_t t = 0; t < count; ++t) scores[t] = dot(query, keys + slots[t] * width, head_size);
}

void add_times(const float* values, size_t width, const uint32_t* slots, size_t count,
               size_t head_size, const float* factors, float* out) {
  std::fill_n(out, head_size, 0.0F);
  for (size_t t = 0; t < count; ++t) {
    const float* value = values + slots[t] * width;
    const auto factor = hn::Set(kFloats, factors[t]);
    size_t i = 0;
    for (; i + kLanes <= head_size; i += kLanes) {
      const auto sum = hn::LoadU(kFloats, out + i);
      hn::StoreU(hn::MulAdd(factor, hn::LoadU(kFloats, value + i), sum), kFloats, out + i);
    }
    for (; i < head_size; ++i) out[i] += factors[t] * value[i];
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace whisper_s4y
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace whisper_s4y {
namespace {

HWY_EXPORT(scores_f32);
HWY_EXPORT(scores_f16);
HWY_EXPORT(mix_f32);
HWY_EXPORT(mix_f16);
HWY_EXPORT(turn);
HWY_EXPORT(dots);
HWY_EXPORT(add_times);

void store(std::span<const float> from, float* to) { std::ranges::copy(from, to); }
void store(std::span<const float> from, uint16_t* to) { float_to_half(from, {to, from.size()}); }

}  // namespace

WindowCache::WindowCache(AttentionShape shape, size_t positions, bool halves)
    : shape_(shape),
      positions_(positions),
      stride_((positions + kBlock - 1) / kBlock * kBlock),
      halves_(halves) {
  const size_t numbers = shape.width() * stride_;
  if (halves) {
    half_keys_.resize(numbers);
    half_values_.resize(numbers);
  } else {
    keys_.resize(numbers);
    values_.resize(numbers);
  }
}

void WindowCache::use(size_t positions) {
  positions_ = positions;
  stride_ = (positions + kBlock - 1) / kBlock * kBlock;
}

template <typename Number>
void WindowCache::set_head(std::vector<Number>& keys, std::vector<Number>& values, size_t head,
                           const float* from_keys, const float* from_values) {
  const size_t d = shape_.width();
  const size_t e = shape_.head_size;
  Number* to_keys = keys.data() + head * stride_ * e;
  Number* to_values = values.data() + head * stride_ * e;
  // A block at a time, so that what comes in rows of positions is still at hand for the next
  // number.
  std::vector<float> numbers(e * kBlock);
  const auto read = [&](const float* from, size_t begin, size_t count) {
    HWY_DYNAMIC_DISPATCH(turn)(from + begin * d + head * e, d, count, e, numbers.data());
  };
  for (size_t begin = 0; begin < positions_; begin += kBlock) {
    const size_t count = std::min(kBlock, positions_ - begin);
    read(from_keys, begin, count);
    store(numbers, to_keys + begin * e);
    read(from_values, begin, count);
    for (size_t i = 0; i < e; ++i) {
      Number* to = to_values + i * stride_ + begin;
      store({numbers.data() + i * kBlock, count}, to);
      // Past the positions, where there is no probability, nothing may be that is no number.
      std::fill(to + count, to + kBlock, Number{});
    }
  }
}

void WindowCache::set(size_t head, const float* keys, const float* values) {
  if (halves_) {
    set_head(half_keys_, half_values_, head, keys, values);
  } else {
    set_head(keys_, values_, head, keys, values);
  }
}

void WindowCache::scores(size_t head, const float* queries, size_t query_stride, size_t rows,
                         float* scores) const {
  const size_t first = head * stride_ * shape_.head_size;
  const size_t blocks = stride_ / kBlock;
  if (halves_) {
    HWY_DYNAMIC_DISPATCH(scores_f16)
    (half_keys_.data() + first, blocks, shape_.head_size, queries, query_stride, rows, scores,
     stride_);
  } else {
    HWY_DYNAMIC_DISPATCH(scores_f32)
    (keys_.data() + first, blocks, shape_.head_size, queries, query_stride, rows, scores, stride_);
  }
}

void WindowCache::mix(size_t head, const float* probabilities, size_t rows, float* out,
                      size_t out_stride) const {
  const size_t first = head * stride_ * shape_.head_size;
  if (halves_) {
    HWY_DYNAMIC_DISPATCH(mix_f16)
    (half_values_.data() + first, shape_.head_size, probabilities, stride_, rows, out, out_stride);
  } else {
    HWY_DYNAMIC_DISPATCH(mix_f32)
    (values_.data() + first, shape_.head_size, probabilities, stride_, rows, out, out_stride);
  }
}

void attend(std::span<const float> query, const float* keys, const float* values, size_t width,
            std::span<const uint32_t> slots, std::span<float> scores, std::span<float> out) {
  HWY_DYNAMIC_DISPATCH(dots)
  (query.data(), keys, width, slots.data(), slots.size(), query.size(), scores.data());
  softmax(scores.first(slots.size()));
  HWY_DYNAMIC_DISPATCH(add_times)
  (values, width, slots.data(), slots.size(), query.size(), scores.data(), out.data());
}

}  // namespace whisper_s4y
#endif
