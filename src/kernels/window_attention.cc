#include "kernels/window_attention.h"

#include <algorithm>
#include <cmath>

#include "kernels/amx.h"
#include "kernels/vnni.h"
// clang-format off
#include "kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/window_attention.cc"
#include <hwy/foreach_target.h>  // before all others of Highway
#include <hwy/highway.h>

#include "kernels/power-inl.h"
#include "kernels/tile-inl.h"
#include "kernels/transpose-inl.h"
// clang-format on

#ifndef WHISPER_S4Y_KERNELS_WINDOW_ATTENTION
#define WHISPER_S4Y_KERNELS_WINDOW_ATTENTION
namespace whisper_s4y {

// A sum of probabilities times values stays below 2^31.
constexpr float kLargestValue = 8191.0F;
constexpr float kMostOfProbabilities = 262000.0F;
constexpr float kLargestProbability = 32767.0F;
static_assert(WindowAttention::kMostRows == kAmxRows);

/// One head's, and what of its queries and scores is being computed.
struct HeadView {
  const void* keys;
  const void* values;
  const float* key_scales;    // null: floats
  const float* value_scales;  // the same
  const float* bias;          // [stride], added to scores as powers of two; null: none
  size_t head_size, depth, width, positions, stride;
  size_t row_stride;  // of queries and out
  float query_factor;
};
struct HeadRows {
  const float* queries;  // already at the head's columns
  size_t rows;
  void* numbers;  // queries [kMostRows, depth] as they are multiplied
  float* scales;  // of queries
  float* scores;  // [kMostRows, stride]
  void* probabilities;
  float* out;
};

}  // namespace whisper_s4y
#endif

HWY_BEFORE_NAMESPACE();
namespace whisper_s4y {
namespace HWY_NAMESPACE {
namespace {

constexpr float kLog2E = 1.4426950409F;
constexpr float kLeastScore = -3.4e38F;

/// That to the base 2 of the exponential of the scores of positions from `i` on; `times` has the
/// factor of their row and kLog2E.
HWY_INLINE Floats logarithm_of(const HeadView& head, Floats times, Floats score, size_t i) {
  score = hn::Mul(times, score);
  if (head.key_scales != nullptr) score = hn::Mul(score, hn::LoadU(kFloats, head.key_scales + i));
  if (head.bias != nullptr) score = hn::Add(score, hn::LoadU(kFloats, head.bias + i));
  return score;
}

/// The logarithms to the base 2 of the exponentials of scores [stride] of all positions; returns
/// the largest.
HWY_INLINE float to_logarithms(const HeadView& head, float factor, float* scores) {
  const auto times = hn::Set(kFloats, factor * kLog2E);
  size_t i = 0;
  auto largest = hn::Set(kFloats, kLeastScore);
  const size_t vectors = head.positions / kLanes * kLanes;
  for (; i < vectors; i += kLanes) {
    const auto score = logarithm_of(head, times, hn::LoadU(kFloats, scores + i), i);
    largest = hn::Max(largest, score);
    hn::StoreU(score, kFloats, scores + i);
  }
  float most = hn::GetLane(hn::MaxOfLanes(kFloats, largest));
  for (; i < head.positions; ++i) {
    scores[i] *= factor * kLog2E;
    if (head.key_scales != nullptr) scores[i] *= head.key_scales[i];
    if (head.bias != nullptr) scores[i] += head.bias[i];
    most = std::max(most, scores[i]);
  }
  return most;
}

/// Scores [stride] become 2^(score - largest), 0 past the positions; returns their sum.
HWY_INLINE float to_powers(const HeadView& head, float largest, float* scores) {
  std::fill(scores + head.positions, scores + head.stride, -3e38F);
  const auto top = hn::Set(kFloats, largest);
  auto sum = hn::Zero(kFloats);
  for (size_t i = 0; i < head.stride; i += kLanes) {
    const auto power = power_of_two(kFloats, hn::Sub(hn::LoadU(kFloats, scores + i), top));
    sum = hn::Add(sum, power);
    hn::StoreU(power, kFloats, scores + i);
  }
  std::fill(scores + head.positions, scores + head.stride, 0.0F);
  return hn::GetLane(hn::SumOfLanes(kFloats, sum));
}

/// Scores [stride] become exp(factor * score - largest), 0 past the positions; returns their sum.
HWY_INLINE float exponentials(const HeadView& head, float factor, float* scores) {
  return to_powers(head, to_logarithms(head, factor, scores), scores);
}

/// Probabilities to integers, which put(i, integers) takes; returns by what the sum of their
/// products with values is multiplied.
template <typename Put>
HWY_INLINE float to_integers(const float* powers, size_t stride, float sum, const Put& put) {
  const hn::RebindToSigned<decltype(kFloats)> ints;
  const auto factor = hn::Set(kFloats, std::min(kLargestProbability, kMostOfProbabilities / sum));
  auto total = hn::Zero(ints);
  for (size_t i = 0; i < stride; i += kLanes) {
    const auto whole = hn::NearestInt(hn::Mul(hn::LoadU(kFloats, powers + i), factor));
    total = hn::Add(total, whole);
    put(i, whole);
  }
  return 1.0F / static_cast<float>(hn::GetLane(hn::SumOfLanes(ints, total)));
}

HWY_INLINE int16_t rounded(float value) {
  return static_cast<int16_t>(value + (value < 0 ? -0.5F : 0.5F));
}

/// A row times the largest factor that keeps it below `limit`; returns what undoes it.
HWY_INLINE float round_row(const float* values, size_t count, float limit, int16_t* out) {
  const hn::Rebind<int16_t, decltype(kFloats)> shorts;
  auto magnitudes = hn::Zero(kFloats);
  size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    magnitudes = hn::Max(magnitudes, hn::Abs(hn::LoadU(kFloats, values + i)));
  }
  float largest = hn::GetLane(hn::MaxOfLanes(kFloats, magnitudes));
  for (; i < count; ++i) largest = std::max(largest, std::abs(values[i]));
  const float factor = largest > 0 && std::isfinite(limit / largest) ? limit / largest : 0.0F;
  const auto times = hn::Set(kFloats, factor);
  for (i = 0; i + kLanes <= count; i += kLanes) {
    const auto whole = hn::NearestInt(hn::Mul(hn::LoadU(kFloats, values + i), times));
    hn::StoreU(hn::DemoteTo(shorts, whole), shorts, out + i);
  }
  for (; i < count; ++i) out[i] = rounded(values[i] * factor);
  return factor > 0 ? 1.0F / factor : 0.0F;
}

/// Scores of all positions, for whole tiles of rows.
template <typename Of>
HWY_INLINE void scores_of(const HeadView& head, const HeadRows& rows) {
  const auto* queries = static_cast<const typename Of::Row*>(rows.numbers);
  const auto* keys = static_cast<const typename Of::Number*>(head.keys);
  for (size_t t = 0; t < head.stride; t += kPanelOutputs) {
    for (size_t r = 0; r < rows.rows; r += kTileRows) {
      tile_to<Of>(queries + r * head.depth, head.depth, keys + t * head.depth,
                  head.depth / Of::kDepth, rows.scores + r * head.stride + t, head.stride, false);
    }
  }
}

/// `count` sums times the factors of their row and of columns from `column` on.
HWY_INLINE void put_mixed(const HeadView& head, const float* sums, float factor, size_t column,
                          size_t count, float* out) {
  for (size_t i = 0; i < count; ++i) out[i] = sums[i] * factor;
  if (head.value_scales == nullptr) return;
  for (size_t i = 0; i < count; ++i) out[i] *= head.value_scales[column + i];
}

/// out = probabilities times values, times factors of rows and columns.
template <typename Of>
HWY_INLINE void mix_of(const HeadView& head, const HeadRows& rows, const float* factors) {
  const auto* probabilities = static_cast<const typename Of::Row*>(rows.probabilities);
  const auto* values = static_cast<const typename Of::Number*>(head.values);
  alignas(64) float sums[kTileRows * kPanelOutputs];
  for (size_t column = 0; column < head.width; column += kPanelOutputs) {
    const size_t count = std::min(kPanelOutputs, head.head_size - column);
    for (size_t row = 0; row < rows.rows; row += kTileRows) {
      tile_to<Of>(probabilities + row * head.stride, head.stride, values + column * head.stride,
                  head.stride / Of::kDepth, sums, kPanelOutputs, false);
      for (size_t r = 0; r < std::min(kTileRows, rows.rows - row); ++r) {
        put_mixed(head, sums + r * kPanelOutputs, factors[row + r], column, count,
                  rows.out + (row + r) * head.row_stride + column);
      }
    }
  }
}

void attend_in_floats(const HeadView& head, const HeadRows& rows) {
  auto* queries = static_cast<float*>(rows.numbers);
  for (size_t r = 0; r < rows.rows; ++r) {
    std::copy_n(rows.queries + r * head.row_stride, head.head_size, queries + r * head.depth);
  }
  scores_of<OfFloats>(head, rows);
  float factors[WindowAttention::kMostRows];
  for (size_t r = 0; r < rows.rows; ++r) {
    factors[r] = 1.0F / exponentials(head, head.query_factor, rows.scores + r * head.stride);
  }
  mix_of<OfFloats>(head, rows, factors);
}

/// Of queries and keys: a sum of `depth` products of two of them stays inside 32 bits.
float largest_integer(size_t depth) {
  return std::min(32767.0F,
                  std::floor(std::sqrt(2147483647.0F / static_cast<float>(depth)) - 1.0F));
}

template <typename Of>
void attend_in_shorts(const HeadView& head, const HeadRows& rows) {
  const float limit = largest_integer(head.depth);
  auto* queries = static_cast<int16_t*>(rows.numbers);
  for (size_t r = 0; r < rows.rows; ++r) {
    rows.scales[r] = round_row(rows.queries + r * head.row_stride, head.head_size, limit,
                               queries + r * head.depth);
  }
  scores_of<Of>(head, rows);
  float factors[WindowAttention::kMostRows];
  auto* probabilities = static_cast<int16_t*>(rows.probabilities);
  for (size_t r = 0; r < rows.rows; ++r) {
    float* scores = rows.scores + r * head.stride;
    const float sum = exponentials(head, head.query_factor * rows.scales[r], scores);
    const hn::Rebind<int16_t, decltype(kFloats)> shorts;
    int16_t* out = probabilities + r * head.stride;
    factors[r] = to_integers(scores, head.stride, sum, [&](size_t i, auto whole) HWY_ATTR {
      hn::StoreU(hn::DemoteTo(shorts, whole), shorts, out + i);
    });
  }
  mix_of<Of>(head, rows, factors);
}

void attend_in_integers(const HeadView& head, const HeadRows& rows) {
#if HWY_TARGET == HWY_AVX3
  if (has_vnni()) return attend_in_shorts<OfShortsVnni>(head, rows);
#endif
  attend_in_shorts<OfShorts>(head, rows);
}

/// Of `count` columns of the values of all positions: what makes integers of them, and of these
/// the values again.
void find_factors(const float* values, size_t stride, size_t positions, size_t count,
                  float* factors, float* scales) {
  const size_t whole = count / kLanes * kLanes;
  for (size_t i = 0; i < whole; i += kLanes) {
    auto largest = hn::Zero(kFloats);
    for (size_t t = 0; t < positions; ++t) {
      largest = hn::Max(largest, hn::Abs(hn::LoadU(kFloats, values + t * stride + i)));
    }
    hn::StoreU(largest, kFloats, factors + i);
  }
  for (size_t i = whole; i < count; ++i) {
    for (size_t t = 0; t < positions; ++t) {
      factors[i] = std::max(factors[i], std::abs(values[t * stride + i]));
    }
  }
  for (size_t i = 0; i < count; ++i) {
    const float factor = factors[i] > 0 ? kLargestValue / factors[i] : 0.0F;
    factors[i] = std::isfinite(factor) ? factor : 0.0F;
    scales[i] = factors[i] > 0 ? 1.0F / factors[i] : 0.0F;
  }
}

#if HWY_TARGET == HWY_AVX3

void attend_in_tiles(const HeadView& head, const HeadRows& rows) {
  const AmxScope scope(AmxNumbers::shorts);
  constexpr size_t kCount = kAmxRows * kPanelOutputs;
  alignas(64) int32_t parts[3 * kCount];
  const SplitSums sums{parts, parts + kCount, parts + 2 * kCount};
  // The sum is below 2^31, whatever its parts are.
  const auto sum_at = [&](size_t i) HWY_ATTR {
    const auto high = hn::ShiftLeft<16>(hn::LoadU(kInts, sums.high + i));
    const auto middle = hn::ShiftLeft<8>(hn::LoadU(kInts, sums.middle + i));
    return hn::ConvertTo(kFloats, hn::Add(hn::Add(high, middle), hn::LoadU(kInts, sums.low + i)));
  };

  const float limit = largest_integer(head.depth);
  auto* queries = static_cast<uint8_t*>(rows.numbers);
  thread_local std::vector<int16_t> query;
  query.assign(head.depth, 0);
  for (size_t r = 0; r < rows.rows; ++r) {
    rows.scales[r] =
        round_row(rows.queries + r * head.row_stride, head.head_size, limit, query.data());
    uint8_t* const upper = queries + r * 2 * head.depth;
    split(query.data(), head.depth, upper, upper + head.depth);
  }
  const auto* keys = static_cast<const uint8_t*>(head.keys);
  float largest[WindowAttention::kMostRows];
  std::fill_n(largest, rows.rows, kLeastScore);
  for (size_t t = 0; t < head.stride; t += kPanelOutputs) {
    multiply_shorts_amx({queries, 2 * head.depth, head.depth},
                        {keys + 2 * t * head.depth, kPanelOutputs * head.depth}, head.depth, sums);
    // What to_logarithms() does, while the sums are at hand.
    const size_t positions = std::min(kPanelOutputs, head.positions - t);
    for (size_t r = 0; r < rows.rows; ++r) {
      const auto times = hn::Set(kFloats, head.query_factor * rows.scales[r] * kLog2E);
      auto most = hn::Set(kFloats, largest[r]);
      for (size_t i = 0; i < positions; i += kLanes) {
        const auto score = logarithm_of(head, times, sum_at(r * kPanelOutputs + i), t + i);
        const auto here = hn::FirstN(kFloats, std::min(kLanes, positions - i));
        most = hn::Max(most, hn::IfThenElse(here, score, most));
        hn::StoreU(score, kFloats, rows.scores + r * head.stride + t + i);
      }
      largest[r] = hn::GetLane(hn::MaxOfLanes(kFloats, most));
    }
  }

  float factors[WindowAttention::kMostRows];
  auto* probabilities = static_cast<uint8_t*>(rows.probabilities);
  const hn::Rebind<uint8_t, decltype(kFloats)> bytes;
  for (size_t r = 0; r < rows.rows; ++r) {
    float* scores = rows.scores + r * head.stride;
    const float sum = to_powers(head, largest[r], scores);
    uint8_t* upper = probabilities + r * 2 * head.stride;
    uint8_t* lower = upper + head.stride;
    factors[r] = to_integers(scores, head.stride, sum, [&](size_t i, auto whole) HWY_ATTR {
      hn::StoreU(hn::DemoteTo(bytes, hn::ShiftRight<8>(whole)), bytes, upper + i);
      hn::StoreU(hn::DemoteTo(bytes, hn::And(whole, hn::Set(kInts, 0xFF))), bytes, lower + i);
    });
  }
  const auto* values = static_cast<const uint8_t*>(head.values);
  alignas(64) float row_sums[kPanelOutputs];
  for (size_t column = 0; column < head.width; column += kPanelOutputs) {
    multiply_shorts_amx({probabilities, 2 * head.stride, head.stride},
                        {values + 2 * column * head.stride, kPanelOutputs * head.stride},
                        head.stride, sums);
    for (size_t r = 0; r < rows.rows; ++r) {
      for (size_t i = 0; i < kPanelOutputs; i += kLanes) {
        hn::StoreU(sum_at(r * kPanelOutputs + i), kFloats, row_sums + i);
      }
      put_mixed(head, row_sums, factors[r], column,
                std::min(kPanelOutputs, head.head_size - column),
                rows.out + r * head.row_stride + column);
    }
  }
}

/// Two planes of bytes: first the upper ones of all positions, in groups of four numbers.
void put_keys_in_tiles(const float* keys, size_t stride, size_t count, size_t head_size,
                       size_t depth, uint32_t* planes, uint8_t* panel, float* scales) {
  const float limit = largest_integer(depth);
  std::vector<int16_t> key(depth);
  uint32_t* const lower = planes + kPanelOutputs * depth / 4;
  for (size_t t = 0; t < count; ++t) {
    scales[t] = round_row(keys + t * stride, head_size, limit, key.data());
    split(key.data(), depth, reinterpret_cast<uint8_t*>(planes + t * depth / 4),
          reinterpret_cast<uint8_t*>(lower + t * depth / 4));
  }
  auto* to = reinterpret_cast<uint32_t*>(panel);
  transpose(planes, depth / 4, count, depth / 4, to, kPanelOutputs);
  transpose(lower, depth / 4, count, depth / 4, to + kPanelOutputs * depth / 4, kPanelOutputs);
}

/// The same of values, in groups of four positions.
void put_values_in_tiles(const float* values, size_t stride, size_t positions, size_t padded,
                         size_t count, uint8_t* panel, float* scales) {
  alignas(64) float factors[kPanelOutputs] = {};
  find_factors(values, stride, positions, count, factors, scales);
  uint8_t* const lower = panel + padded * kPanelOutputs;
  constexpr size_t kGroup = 4;
  alignas(64) float row[kPanelOutputs] = {};
  for (size_t t = 0; t < positions; t += kGroup) {
    for (size_t i = 0; i < count; i += kLanes) {
      auto high = hn::Zero(kInts);
      auto low = high;
      for (size_t g = kGroup; g-- > 0;) {
        high = hn::ShiftLeft<8>(high);
        low = hn::ShiftLeft<8>(low);
        if (t + g >= positions) continue;
        const float* from = values + (t + g) * stride + i;
        if (i + kLanes > count) {
          std::copy_n(from, count - i, row);
          from = row;
        }
        const auto whole =
            hn::NearestInt(hn::Mul(hn::LoadU(kFloats, from), hn::LoadU(kFloats, factors + i)));
        const auto byte = hn::Set(kInts, 0xFF);
        high = hn::Or(high, hn::And(hn::ShiftRight<8>(whole), byte));
        low = hn::Or(low, hn::And(whole, byte));
      }
      const size_t at = t * kPanelOutputs + i * kGroup;
      hn::StoreU(high, kInts, reinterpret_cast<int32_t*>(panel + at));
      hn::StoreU(low, kInts, reinterpret_cast<int32_t*>(lower + at));
    }
  }
}

#else

void attend_in_tiles(const HeadView& /*head*/, const HeadRows& /*rows*/) {
  HWY_ABORT("Products of tiles need AMX.");
}

void put_keys_in_tiles(const float* /*keys*/, size_t /*stride*/, size_t /*count*/,
                       size_t /*head_size*/, size_t /*depth*/, uint32_t* /*planes*/,
                       uint8_t* /*panel*/, float* /*scales*/) {
  HWY_ABORT("Products of tiles need AMX.");
}

void put_values_in_tiles(const float* /*values*/, size_t /*stride*/, size_t /*positions*/,
                         size_t /*padded*/, size_t /*count*/, uint8_t* /*panel*/,
                         float* /*scales*/) {
  HWY_ABORT("Products of tiles need AMX.");
}

#endif

/// The keys of positions [0, count) of a panel, `stride` apart.
void put_keys_in_floats(const float* keys, size_t stride, size_t count, size_t head_size,
                        float* panel) {
  transpose(keys, stride, count, head_size, panel, kPanelOutputs);
}

void put_keys_in_integers(const float* keys, size_t stride, size_t count, size_t head_size,
                          size_t depth, uint32_t* rounded, int16_t* panel, float* scales) {
  const float limit = largest_integer(depth);
  for (size_t t = 0; t < count; ++t) {
    scales[t] = round_row(keys + t * stride, head_size, limit,
                          reinterpret_cast<int16_t*>(rounded + t * depth / 2));
  }
  transpose(rounded, depth / 2, count, depth / 2, reinterpret_cast<uint32_t*>(panel),
            kPanelOutputs);
}

/// `count` columns of the values of all positions.
void put_values_in_floats(const float* values, size_t stride, size_t positions, size_t count,
                          float* panel) {
  for (size_t t = 0; t < positions; ++t) {
    std::copy_n(values + t * stride, count, panel + t * kPanelOutputs);
  }
}

void put_values_in_integers(const float* values, size_t stride, size_t positions, size_t count,
                            int16_t* panel, float* scales) {
  alignas(64) float factors[kPanelOutputs] = {};
  find_factors(values, stride, positions, count, factors, scales);
  const size_t whole = count / kLanes * kLanes;
  const hn::RebindToSigned<decltype(kFloats)> ints;
  for (size_t t = 0; t < positions; t += 2) {
    const float* first = values + t * stride;
    const bool pair = t + 1 < positions;
    auto* to = reinterpret_cast<int32_t*>(panel + t * kPanelOutputs);
    for (size_t i = 0; i < whole; i += kLanes) {
      const auto factor = hn::LoadU(kFloats, factors + i);
      const auto a = hn::NearestInt(hn::Mul(hn::LoadU(kFloats, first + i), factor));
      auto b = hn::Zero(ints);
      if (pair) b = hn::NearestInt(hn::Mul(hn::LoadU(kFloats, first + stride + i), factor));
      hn::StoreU(hn::Or(hn::And(a, hn::Set(ints, 0xFFFF)), hn::ShiftLeft<16>(b)), ints, to + i);
    }
    for (size_t i = whole; i < count; ++i) {
      panel[t * kPanelOutputs + 2 * i] = rounded(first[i] * factors[i]);
      if (pair) panel[t * kPanelOutputs + 2 * i + 1] = rounded(first[stride + i] * factors[i]);
    }
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace whisper_s4y
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace whisper_s4y {
namespace {

HWY_EXPORT(attend_in_floats);
HWY_EXPORT(attend_in_integers);
HWY_EXPORT(attend_in_tiles);
HWY_EXPORT(put_keys_in_floats);
HWY_EXPORT(put_keys_in_integers);
HWY_EXPORT(put_keys_in_tiles);
HWY_EXPORT(put_values_in_floats);
HWY_EXPORT(put_values_in_integers);
HWY_EXPORT(put_values_in_tiles);

/// Scales from `first` on; null where there are none, as with floats.
template <typename Scales>
auto from(Scales& scales, size_t first) {
  return scales.empty() ? nullptr : scales.data() + first;
}

}  // namespace

WindowAttention::WindowAttention(AttentionShape shape, size_t positions, NumberForm form)
    : shape_(shape),
      positions_(positions),
      stride_(whole(positions, kPanelOutputs)),
      depth_(whole(shape.head_size, form == NumberForm::tiled_shorts ? kAmxColumns : 2)),
      width_(whole(shape.head_size, kPanelOutputs)),
      form_(form),
      key_scales_(form == NumberForm::floats ? 0 : shape.heads * stride_),
      value_scales_(form == NumberForm::floats ? 0 : shape.heads * width_) {
  const size_t bytes = form == NumberForm::floats ? sizeof(float) : sizeof(int16_t);
  keys_.room<std::byte>(shape.heads * stride_ * depth_ * bytes);
  values_.room<std::byte>(shape.heads * stride_ * width_ * bytes);
}

void WindowAttention::use(size_t positions, std::span<const float> multiplicities) {
  positions_ = positions;
  stride_ = whole(positions, kPanelOutputs);
  bias_.assign(multiplicities.empty() ? 0 : stride_, 0.0F);
  std::ranges::transform(multiplicities, bias_.begin(), [](float m) { return std::log2(m); });
}

void WindowAttention::set(size_t head, const float* keys, const float* values) {
  const size_t d = shape_.width();
  const size_t e = shape_.head_size;
  keys += head * e;
  values += head * e;
  std::vector<uint32_t> rounded(kPanelOutputs * depth_ / 2);
  for (size_t t = 0; t < positions_; t += kPanelOutputs) {
    const size_t count = std::min(kPanelOutputs, positions_ - t);
    const size_t at = head * stride_ * depth_ + t * depth_;
    float* const scales = from(key_scales_, head * stride_ + t);
    if (form_ == NumberForm::floats) {
      HWY_DYNAMIC_DISPATCH(put_keys_in_floats)
      (keys + t * d, d, count, e, keys_.at<float>() + at);
    } else if (form_ == NumberForm::shorts) {
      HWY_DYNAMIC_DISPATCH(put_keys_in_integers)
      (keys + t * d, d, count, e, depth_, rounded.data(), keys_.at<int16_t>() + at, scales);
    } else {
      HWY_DYNAMIC_DISPATCH(put_keys_in_tiles)
      (keys + t * d, d, count, e, depth_, rounded.data(), keys_.at<uint8_t>() + 2 * at, scales);
    }
  }
  for (size_t column = 0; column < e; column += kPanelOutputs) {
    const size_t count = std::min(kPanelOutputs, e - column);
    const size_t at = head * stride_ * width_ + column * stride_;
    float* const scales = from(value_scales_, head * width_ + column);
    if (form_ == NumberForm::floats) {
      // Rows past the positions have no probability, which must not meet what is no number.
      float* const panel = values_.at<float>() + at;
      std::fill(panel + positions_ * kPanelOutputs, panel + stride_ * kPanelOutputs, 0.0F);
      HWY_DYNAMIC_DISPATCH(put_values_in_floats)
      (values + column, d, positions_, count, panel);
    } else if (form_ == NumberForm::shorts) {
      HWY_DYNAMIC_DISPATCH(put_values_in_integers)
      (values + column, d, positions_, count, values_.at<int16_t>() + at, scales);
    } else {
      HWY_DYNAMIC_DISPATCH(put_values_in_tiles)
      (values + column, d, positions_, stride_, count, values_.at<uint8_t>() + 2 * at, scales);
    }
  }
}

void WindowAttention::attend(size_t head, const float* queries, size_t begin, size_t rows,
                             Scratch& scratch, float* out) const {
  const size_t first = begin * shape_.width() + head * shape_.head_size;
  scratch.query_scales_.resize(kMostRows);
  const bool floats = form_ == NumberForm::floats;
  const HeadRows some{
      .queries = queries + first,
      .rows = rows,
      .numbers = scratch.queries_.room<float>(kMostRows * depth_),
      .scales = scratch.query_scales_.data(),
      .scores = scratch.scores_.room<float>(kMostRows * stride_),
      .probabilities = floats ? static_cast<void*>(scratch.scores_.at<float>())
                              : scratch.probabilities_.room<int16_t>(kMostRows * stride_),
      .out = out + first};
  const size_t bytes = floats ? sizeof(float) : sizeof(int16_t);
  const HeadView view{.keys = keys_.at<std::byte>() + head * stride_ * depth_ * bytes,
                      .values = values_.at<std::byte>() + head * stride_ * width_ * bytes,
                      .key_scales = from(key_scales_, head * stride_),
                      .value_scales = from(value_scales_, head * width_),
                      .bias = bias_.empty() ? nullptr : bias_.data(),
                      .head_size = shape_.head_size,
                      .depth = depth_,
                      .width = width_,
                      .positions = positions_,
                      .stride = stride_,
                      .row_stride = shape_.width(),
                      .query_factor = 1.0F / std::sqrt(static_cast<float>(shape_.head_size))};
  if (floats) {
    HWY_DYNAMIC_DISPATCH(attend_in_floats)(view, some);
  } else if (form_ == NumberForm::shorts) {
    HWY_DYNAMIC_DISPATCH(attend_in_integers)(view, some);
  } else {
    HWY_DYNAMIC_DISPATCH(attend_in_tiles)(view, some);
  }
}

}  // namespace whisper_s4y
#endif
