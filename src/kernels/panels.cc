#include "kernels/panels.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "common/half.h"
#include "kernels/amx.h"
#include "kernels/row_ops.h"
#include "kernels/vnni.h"
// clang-format off
#include "kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/panels.cc"
#include <hwy/foreach_target.h>  // before all others of Highway
#include <hwy/highway.h>

#include "kernels/tile-inl.h"
#include "kernels/transpose-inl.h"
// clang-format on

#ifndef WHISPER_S4Y_KERNELS_PANELS
#define WHISPER_S4Y_KERNELS_PANELS
namespace whisper_s4y {

// Sums of products of shorts leave 32 bits for float32 after so many columns. A weight has twelve
// bits and a sign, so that however the signs fall, a sum stays below 2^31 while the magnitudes of
// the activations add up to no more than kMostOfBlock.
constexpr size_t kBlockColumns = 128;

// So many rows go through a block of the panel while the nearest cache holds it.
constexpr size_t kRowsOfBlock = 4 * kTileRows;
static_assert(kRowsOfBlock == kAmxRows);
constexpr float kLargestInBlock = 4095.0F;
constexpr float kMostOfBlock = 524000.0F;

/// What multiply() hands to the processor's own code.
struct PanelProduct {
  const void* panel;
  const float* output_scales;
  const int32_t* weight_sums;
  const float* bias;  // [kPanelOutputs]
  size_t outputs;
  size_t plane;  // bytes of half of the panel, where there are two
};

}  // namespace whisper_s4y
#endif

HWY_BEFORE_NAMESPACE();
namespace whisper_s4y {
namespace HWY_NAMESPACE {
namespace {

/// Vectors of a row to `to`, or added to what is there.
HWY_INLINE void store_row(const float* from, size_t count, bool add, float* to) {
  size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    auto value = hn::LoadU(kFloats, from + i);
    if (add) value = hn::Add(value, hn::LoadU(kFloats, to + i));
    hn::StoreU(value, kFloats, to + i);
  }
  for (; i < count; ++i) to[i] = add ? to[i] + from[i] : from[i];
}

/// Scales, shifts and puts `count` rows of sums, of which the first is `row`. All together, so that
/// the processor has several vectors to work at.
HWY_INLINE void put_rows(float* sums, const RowsView& rows, size_t row, size_t count,
                         const PanelProduct& product, const PanelTarget& target) {
  for (size_t r = 0; r < count; ++r) {
    float* of_row = sums + r * kPanelOutputs;
    const auto factor = hn::Set(kFloats, rows.scales == nullptr ? 1.0F : rows.scales[row + r]);
    for (size_t i = 0; i < kPanelOutputs; i += kLanes) {
      const auto times = hn::Mul(factor, hn::LoadU(kFloats, product.output_scales + i));
      const auto bias = hn::LoadU(kFloats, product.bias + i);
      hn::StoreU(hn::MulAdd(hn::LoadU(kFloats, of_row + i), times, bias), kFloats, of_row + i);
    }
  }
  if (target.gelu) gelu({sums, count * kPanelOutputs});
  for (size_t r = 0; r < count; ++r) {
    store_row(sums + r * kPanelOutputs, product.outputs, target.add,
              target.out + (row + r) * target.stride);
  }
}

template <typename Of>
void product_in_blocks(const RowsView& rows, size_t begin, size_t end, const PanelProduct& product,
                       const PanelTarget& target) {
  const auto* panel = static_cast<const typename Of::Number*>(product.panel);
  const auto* numbers = static_cast<const typename Of::Row*>(rows.numbers);
  constexpr size_t kBlock = std::is_same_v<Of, OfFloats> ? kBlockColumns / 2 : kBlockColumns;
  alignas(64) float sums[kRowsOfBlock * kPanelOutputs];
  for (size_t row = begin; row < end; row += kRowsOfBlock) {
    const size_t count = std::min(kRowsOfBlock, end - row);
    for (size_t column = 0; column < rows.columns; column += kBlock) {
      const size_t columns = std::min(kBlock, rows.columns - column);
      for (size_t r = 0; r < count; r += kTileRows) {
        tile_to<Of>(numbers + (row + r) * rows.stride + column, rows.stride,
                    panel + column * kPanelOutputs, (columns + Of::kDepth - 1) / Of::kDepth,
                    sums + r * kPanelOutputs, kPanelOutputs, column > 0);
      }
    }
    put_rows(sums, rows, row, count, product, target);
  }
}

void product_of_floats(const RowsView& rows, size_t begin, size_t end, const PanelProduct& product,
                       const PanelTarget& target) {
  product_in_blocks<OfFloats>(rows, begin, end, product, target);
}

void product_of_shorts(const RowsView& rows, size_t begin, size_t end, const PanelProduct& product,
                       const PanelTarget& target) {
#if HWY_TARGET == HWY_AVX3
  if (has_vnni()) return product_in_blocks<OfShortsVnni>(rows, begin, end, product, target);
#endif
  product_in_blocks<OfShorts>(rows, begin, end, product, target);
}

#if HWY_TARGET == HWY_AVX3

bool multiplies_bytes() { return has_vnni(); }
bool multiplies_tiles() { return has_vnni() && has_amx(); }

/// The sum of each output's weights.
void sums_of_bytes(const void* panel, size_t steps, int32_t* sums) {
  const auto* at = static_cast<const int8_t*>(panel);
  const auto ones = hn::Set(kInts, 0x01010101);
  Ints totals[kPanelOutputs / kLanes];
  WHISPER_S4Y_UNROLL
  for (size_t v = 0; v < kPanelOutputs / kLanes; ++v) totals[v] = OfBytes::zero();
  for (size_t step = 0; step < steps; ++step) {
    WHISPER_S4Y_UNROLL
    for (size_t v = 0; v < kPanelOutputs / kLanes; ++v) {
      totals[v] =
          OfBytes::add(OfBytes::weights(at + v * kLanes * OfBytes::kDepth), ones, totals[v]);
    }
    at += kPanelOutputs * OfBytes::kDepth;
  }
  WHISPER_S4Y_UNROLL
  for (size_t v = 0; v < kPanelOutputs / kLanes; ++v) {
    hn::StoreU(totals[v], kInts, sums + v * kLanes);
  }
}

void product_of_bytes(const RowsView& rows, size_t begin, size_t end, const PanelProduct& product,
                      const PanelTarget& target) {
  const auto* panel = static_cast<const int8_t*>(product.panel);
  const auto* numbers = static_cast<const uint8_t*>(rows.numbers);
  alignas(64) float sums[kTileRows * kPanelOutputs];
  for (size_t row = begin; row < end; row += kTileRows) {
    // sum of (x - zero) * w = sum of x * w - zero * sum of w.
    int32_t zeros[kTileRows] = {};
    for (size_t r = 0; r < std::min(kTileRows, end - row); ++r) zeros[r] = -rows.zeros[row + r];
    tile<OfBytes>(
        numbers + row * rows.stride, rows.stride, panel,
        (rows.columns + OfBytes::kDepth - 1) / OfBytes::kDepth,
        [&](size_t r, size_t column) HWY_ATTR {
          return hn::Mul(hn::Set(kInts, zeros[r]), hn::LoadU(kInts, product.weight_sums + column));
        },
        [&](size_t r, size_t column, Ints sum) HWY_ATTR {
          hn::StoreU(hn::ConvertTo(kFloats, sum), kFloats, sums + r * kPanelOutputs + column);
        });
    put_rows(sums, rows, row, std::min(kTileRows, end - row), product, target);
  }
}

void product_of_tiled_bytes(const RowsView& rows, size_t begin, size_t end,
                            const PanelProduct& product, const PanelTarget& target) {
  const AmxScope scope(AmxNumbers::bytes);
  constexpr size_t kCount = kRowsOfBlock * kPanelOutputs;
  const auto* numbers = static_cast<const uint8_t*>(rows.numbers);
  alignas(64) int32_t integers[kCount];
  alignas(64) float sums[kCount];
  for (size_t block = begin; block < end; block += kRowsOfBlock) {
    multiply_bytes_amx(numbers + block * rows.stride, rows.stride,
                       static_cast<const int8_t*>(product.panel), whole(rows.columns, kAmxColumns),
                       integers);
    const size_t count = std::min(kRowsOfBlock, end - block);
    for (size_t i = 0; i < count * kPanelOutputs; i += kLanes) {
      // sum of (x - zero) * w = sum of x * w - zero * sum of w.
      const auto zero = hn::Set(kInts, rows.zeros[block + i / kPanelOutputs]);
      const auto shift = hn::Mul(zero, hn::LoadU(kInts, product.weight_sums + i % kPanelOutputs));
      hn::StoreU(hn::ConvertTo(kFloats, hn::Sub(hn::LoadU(kInts, integers + i), shift)), kFloats,
                 sums + i);
    }
    put_rows(sums, rows, block, count, product, target);
  }
}

void product_of_tiled_shorts(const RowsView& rows, size_t begin, size_t end,
                             const PanelProduct& product, const PanelTarget& target) {
  const AmxScope scope(AmxNumbers::shorts);
  constexpr size_t kCount = kRowsOfBlock * kPanelOutputs;
  alignas(64) int32_t parts[3 * kCount];
  alignas(64) float sums[kCount];
  const auto* numbers = static_cast<const uint8_t*>(rows.numbers);
  const SplitPanel panel{static_cast<const uint8_t*>(product.panel), product.plane};
  const auto much = hn::Set(kFloats, 65536.0F);
  const auto some = hn::Set(kFloats, 256.0F);
  for (size_t block = begin; block < end; block += kRowsOfBlock) {
    multiply_shorts_amx({numbers + block * rows.stride, rows.stride, rows.stride / 2}, panel,
                        rows.stride / 2, {parts, parts + kCount, parts + 2 * kCount});
    const size_t count = std::min(kRowsOfBlock, end - block);
    for (size_t i = 0; i < count * kPanelOutputs; i += kLanes) {
      const auto part = [&](size_t which) HWY_ATTR {
        return hn::ConvertTo(kFloats, hn::LoadU(kInts, parts + which * kCount + i));
      };
      const auto lower = hn::MulAdd(part(1), some, part(2));
      hn::StoreU(hn::MulAdd(part(0), much, lower), kFloats, sums + i);
    }
    put_rows(sums, rows, block, count, product, target);
  }
}

#else

bool multiplies_bytes() { return false; }
bool multiplies_tiles() { return false; }

void sums_of_bytes(const void* /*panel*/, size_t /*steps*/, int32_t* /*sums*/) {
  HWY_ABORT("Products of bytes need VNNI.");
}

void product_of_bytes(const RowsView& /*rows*/, size_t /*begin*/, size_t /*end*/,
                      const PanelProduct& /*product*/, const PanelTarget& /*target*/) {
  HWY_ABORT("Products of bytes need VNNI.");
}

void product_of_tiled_bytes(const RowsView& /*rows*/, size_t /*begin*/, size_t /*end*/,
                            const PanelProduct& /*product*/, const PanelTarget& /*target*/) {
  HWY_ABORT("Products of tiles need AMX.");
}

void product_of_tiled_shorts(const RowsView& /*rows*/, size_t /*begin*/, size_t /*end*/,
                             const PanelProduct& /*product*/, const PanelTarget& /*target*/) {
  HWY_ABORT("Products of tiles need AMX.");
}

#endif

/// The largest magnitude, and the largest sum of magnitudes of a block.
void measure(const float* values, size_t count, float& largest, float& most_of_block) {
  auto largest_of_lanes = hn::Zero(kFloats);
  largest = most_of_block = 0;
  for (size_t block = 0; block < count; block += kBlockColumns) {
    const size_t end = std::min(block + kBlockColumns, count);
    auto sums = hn::Zero(kFloats);
    size_t i = block;
    for (; i + kLanes <= end; i += kLanes) {
      const auto magnitude = hn::Abs(hn::LoadU(kFloats, values + i));
      sums = hn::Add(sums, magnitude);
      largest_of_lanes = hn::Max(largest_of_lanes, magnitude);
    }
    float sum = hn::GetLane(hn::SumOfLanes(kFloats, sums));
    for (; i < end; ++i) {
      sum += std::abs(values[i]);
      largest = std::max(largest, std::abs(values[i]));
    }
    most_of_block = std::max(most_of_block, sum);
  }
  largest = std::max(largest, hn::GetLane(hn::MaxOfLanes(kFloats, largest_of_lanes)));
}

void extremes(const float* values, size_t count, float& least, float& largest) {
  auto least_of_lanes = hn::Zero(kFloats);
  auto largest_of_lanes = hn::Zero(kFloats);
  size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    const auto value = hn::LoadU(kFloats, values + i);
    least_of_lanes = hn::Min(least_of_lanes, value);
    largest_of_lanes = hn::Max(largest_of_lanes, value);
  }
  least = hn::GetLane(hn::MinOfLanes(kFloats, least_of_lanes));
  largest = hn::GetLane(hn::MaxOfLanes(kFloats, largest_of_lanes));
  for (; i < count; ++i) {
    least = std::min(least, values[i]);
    largest = std::max(largest, values[i]);
  }
}

/// out[i] = values[i] * factor + shift, rounded; `count` of them.
template <typename Integer>
HWY_INLINE void round_to(const float* values, size_t count, float factor, float shift,
                         Integer* out) {
  const hn::Rebind<Integer, decltype(kFloats)> integers;
  const auto times = hn::Set(kFloats, factor);
  const auto plus = hn::Set(kFloats, shift);
  const auto rounded = [&](Floats value) HWY_ATTR {
    return hn::DemoteTo(integers, hn::NearestInt(hn::MulAdd(value, times, plus)));
  };
  size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    hn::StoreU(rounded(hn::LoadU(kFloats, values + i)), integers, out + i);
  }
  if (i == count) return;
  float rest[kLanes] = {};
  Integer rest_out[kLanes];
  std::copy_n(values + i, count - i, rest);
  hn::StoreU(rounded(hn::LoadU(kFloats, rest)), integers, rest_out);
  std::copy_n(rest_out, count - i, out + i);
}

void round_to_shorts(const float* values, size_t count, float factor, int16_t* out) {
  round_to(values, count, factor, 0.0F, out);
}

void round_to_bytes(const float* values, size_t count, float factor, float zero, uint8_t* out) {
  round_to(values, count, factor, zero, out);
}

void split_row(const int16_t* in, size_t count, uint8_t* upper, uint8_t* lower) {
  split(in, count, upper, lower);
}

void widen(const int8_t* weights, size_t count, int16_t* out) {
  const hn::ScalableTag<int16_t> shorts;
  const hn::Rebind<int8_t, decltype(shorts)> bytes;
  size_t i = 0;
  for (; i + hn::MaxLanes(shorts) <= count; i += hn::MaxLanes(shorts)) {
    hn::StoreU(hn::PromoteTo(shorts, hn::LoadU(bytes, weights + i)), shorts, out + i);
  }
  std::copy(weights + i, weights + count, out + i);
}

/// Rows of groups of 32 bits to where their outputs are in a panel.
void put_in_panel(const uint32_t* rows, size_t count, size_t steps, uint32_t* panel) {
  transpose(rows, steps, count, steps, panel, kPanelOutputs);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace whisper_s4y
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace whisper_s4y {
namespace {

HWY_EXPORT(multiplies_bytes);
HWY_EXPORT(multiplies_tiles);
HWY_EXPORT(product_of_floats);
HWY_EXPORT(product_of_shorts);
HWY_EXPORT(product_of_bytes);
HWY_EXPORT(product_of_tiled_bytes);
HWY_EXPORT(product_of_tiled_shorts);
HWY_EXPORT(measure);
HWY_EXPORT(extremes);
HWY_EXPORT(round_to_shorts);
HWY_EXPORT(round_to_bytes);
HWY_EXPORT(split_row);
HWY_EXPORT(widen);
HWY_EXPORT(sums_of_bytes);
HWY_EXPORT(put_in_panel);

constexpr size_t kRowsStaged = 16;  // of weights on their way into a panel
constexpr float kNoLimit = std::numeric_limits<float>::infinity();

size_t bytes_of(NumberForm form) {
  switch (form) {
    case NumberForm::floats:
      return 4;
    case NumberForm::shorts:
    case NumberForm::tiled_shorts:
      return 2;
    case NumberForm::bytes:
    case NumberForm::tiled_bytes:
      break;
  }
  return 1;
}

bool is_tiled(NumberForm form) {
  return form == NumberForm::tiled_shorts || form == NumberForm::tiled_bytes;
}

/// Columns filled up to what a product takes at once.
size_t padded(size_t columns, NumberForm form) {
  return whole(columns, is_tiled(form) ? kAmxColumns : sizeof(uint32_t) / bytes_of(form));
}

/// 1 / factor, 0 where there is nothing but zeros or what is no number.
float inverse(float factor) { return factor > 0 ? 1.0F / factor : 0.0F; }

/// A row of activations as integers; returns what undoes it. kMostOfBlock keeps sums of their
/// products with weights inside 32 bits.
float to_shorts(const float* values, size_t columns, float most_of_block, int16_t* out) {
  float largest = 0;
  float block = 0;
  HWY_DYNAMIC_DISPATCH(measure)(values, columns, largest, block);
  float steps = largest > 0 ? std::min(32767.0F / largest, most_of_block / block) : 0;
  if (!std::isfinite(steps)) steps = 0;
  HWY_DYNAMIC_DISPATCH(round_to_shorts)(values, columns, steps, out);
  return inverse(steps);
}

/// A row of the matrix as float32, without row scales.
void read_row(const StoredMatrix& matrix, size_t row, float* out) {
  const size_t columns = matrix.columns;
  switch (matrix.kind) {
    case WeightKind::f32:
      std::memcpy(out, matrix.bytes + row * columns * sizeof(float), columns * sizeof(float));
      break;
    case WeightKind::f16:
      half_to_float({reinterpret_cast<const uint16_t*>(matrix.bytes) + row * columns, columns},
                    {out, columns});
      break;
    case WeightKind::i8: {
      const auto* weights = reinterpret_cast<const int8_t*>(matrix.bytes) + row * columns;
      std::copy_n(weights, columns, out);
      break;
    }
    case WeightKind::i4: {
      const auto* pairs = reinterpret_cast<const int8_t*>(matrix.bytes) + row * columns / 2;
      const size_t blocks = columns / kScaledBlock;
      for (size_t block = 0; block < blocks; ++block) {
        uint16_t half;
        std::memcpy(&half, matrix.block_scales + (row * blocks + block) * sizeof(half),
                    sizeof(half));
        float scale = 0;
        half_to_float({&half, 1}, {&scale, 1});
        for (size_t i = 0; i < kScaledBlock / 2; ++i) {
          // NOLINTNEXTLINE(bugprone-signed-char-misuse): it is a number with a sign
          const auto pair = static_cast<int>(pairs[block * kScaledBlock / 2 + i]);
          float* two = out + block * kScaledBlock + 2 * i;
          two[0] = static_cast<float>(((pair & 15) ^ 8) - 8) * scale;
          two[1] = static_cast<float>(pair >> 4) * scale;
        }
      }
      break;
    }
  }
}

}  // namespace

bool can_multiply(NumberForm form) {
  if (is_tiled(form)) return HWY_DYNAMIC_DISPATCH(multiplies_tiles)();
  return form != NumberForm::bytes || HWY_DYNAMIC_DISPATCH(multiplies_bytes)();
}

NumberForm fastest_form(bool int8) {
  if (can_multiply(NumberForm::tiled_bytes)) {
    return int8 ? NumberForm::tiled_bytes : NumberForm::tiled_shorts;
  }
  return int8 && can_multiply(NumberForm::bytes) ? NumberForm::bytes : NumberForm::shorts;
}

void PanelRows::use(NumberForm form, size_t rows, size_t columns) {
  // A product may begin with any tile of rows, and takes kAmxRows of them at once.
  const size_t all = whole(rows, kTileRows) + (is_tiled(form) ? kAmxRows : 0);
  form_ = form;
  columns_ = columns;
  stride_ = padded(columns, form) * (form == NumberForm::tiled_shorts ? 2 : 1);
  numbers_.room<std::byte>(form == NumberForm::tiled_shorts ? all * stride_
                                                            : all * stride_ * bytes_of(form));
  if (scales_.size() < all) {
    scales_.resize(all);
    zeros_.resize(all);
  }
}

void PanelRows::set(size_t row, const float* values) {
  switch (form_) {
    case NumberForm::floats:
      std::copy_n(values, columns_, numbers_.at<float>() + row * stride_);
      return;
    case NumberForm::shorts: {
      int16_t* out = numbers_.at<int16_t>() + row * stride_;
      scales_[row] = to_shorts(values, columns_, kMostOfBlock, out);
      std::fill(out + columns_, out + stride_, int16_t{0});
      return;
    }
    case NumberForm::tiled_shorts: {
      // The sums of its bytes stay below 2^31 however large the numbers are.
      thread_local std::vector<int16_t> shorts;
      shorts.resize(stride_ / 2);
      scales_[row] = to_shorts(values, columns_, kNoLimit, shorts.data());
      std::fill(shorts.begin() + static_cast<ptrdiff_t>(columns_), shorts.end(), int16_t{0});
      uint8_t* out = numbers_.at<uint8_t>() + row * stride_;
      HWY_DYNAMIC_DISPATCH(split_row)(shorts.data(), stride_ / 2, out, out + stride_ / 2);
      return;
    }
    case NumberForm::bytes:
    case NumberForm::tiled_bytes: {
      float least = 0;
      float largest = 0;
      HWY_DYNAMIC_DISPATCH(extremes)(values, columns_, least, largest);
      float steps = largest > least ? 255.0F / (largest - least) : 0;
      if (!std::isfinite(steps)) steps = 0;
      scales_[row] = inverse(steps);
      zeros_[row] = static_cast<int32_t>(std::lround(-least * steps));
      uint8_t* out = numbers_.at<uint8_t>() + row * stride_;
      const auto zero = static_cast<float>(zeros_[row]);
      HWY_DYNAMIC_DISPATCH(round_to_bytes)(values, columns_, steps, zero, out);
      std::fill(out + columns_, out + stride_, uint8_t{0});
      return;
    }
  }
}

RowsView PanelRows::view() const {
  return {.form = form_,
          .numbers = numbers_.at<std::byte>(),
          .stride = stride_,
          .columns = columns_,
          .scales = form_ == NumberForm::floats ? nullptr : scales_.data(),
          .zeros = bytes_of(form_) == 1 ? zeros_.data() : nullptr};
}

void Panel::pack(const StoredMatrix& matrix, size_t first, NumberForm form) {
  first_ = first;
  outputs_ = std::min(kPanelOutputs, matrix.rows - first);
  columns_ = matrix.columns;
  form_ = form;
  const size_t bytes = padded(columns_, form) * bytes_of(form);  // of an output
  const size_t steps = bytes / sizeof(uint32_t);
  auto* panel = numbers_.room<uint32_t>(steps * kPanelOutputs);
  auto* staged = staged_.room<uint32_t>(kRowsStaged * steps);
  plane_ = form == NumberForm::tiled_shorts ? bytes / 2 * kPanelOutputs : 0;
  row_.resize(columns_);
  std::ranges::fill(scales_, 0.0F);
  if (outputs_ < kPanelOutputs) std::fill_n(panel, steps * kPanelOutputs, 0U);
  for (size_t o = 0; o < outputs_; ++o) {
    const size_t row = first + o;
    auto* integers = staged + o % kRowsStaged * steps;
    // Where a product takes more numbers than there are columns.
    const size_t whole_steps = columns_ * bytes_of(form) / sizeof(uint32_t);
    std::fill(integers + whole_steps, integers + steps, 0U);
    scales_[o] = matrix.row_scales.empty() ? 1.0F : matrix.row_scales[row];
    const auto* stored = reinterpret_cast<const int8_t*>(matrix.bytes) + row * columns_;
    switch (form) {
      case NumberForm::floats:
        read_row(matrix, row, reinterpret_cast<float*>(integers));
        break;
      case NumberForm::shorts:
      case NumberForm::tiled_shorts: {
        auto* shorts = reinterpret_cast<int16_t*>(integers);
        if (matrix.kind == WeightKind::i8) {
          HWY_DYNAMIC_DISPATCH(widen)(stored, columns_, shorts);
          break;
        }
        read_row(matrix, row, row_.data());
        float largest = 0;
        float most_of_block = 0;
        HWY_DYNAMIC_DISPATCH(measure)(row_.data(), columns_, largest, most_of_block);
        const float limit = form == NumberForm::shorts ? kLargestInBlock : 32767.0F;
        const float factor = largest > 0 ? limit / largest : 0;
        scales_[o] *= inverse(factor);
        HWY_DYNAMIC_DISPATCH(round_to_shorts)(row_.data(), columns_, factor, shorts);
        break;
      }
      case NumberForm::bytes:
      case NumberForm::tiled_bytes:
        std::memcpy(integers, stored, columns_);
        break;
    }
    if ((o + 1) % kRowsStaged != 0 && o + 1 < outputs_) continue;
    const size_t count = o % kRowsStaged + 1;
    uint32_t* to = panel + o + 1 - count;
    if (plane_ == 0) {
      HWY_DYNAMIC_DISPATCH(put_in_panel)(staged, count, steps, to);
      continue;
    }
    auto* planes = planes_.room<uint32_t>(kRowsStaged * steps);
    auto* lower = planes + kRowsStaged * steps / 2;
    HWY_DYNAMIC_DISPATCH(split_row)
    (reinterpret_cast<const int16_t*>(staged), count * bytes / sizeof(int16_t),
     reinterpret_cast<uint8_t*>(planes), reinterpret_cast<uint8_t*>(lower));
    HWY_DYNAMIC_DISPATCH(put_in_panel)(planes, count, steps / 2, to);
    HWY_DYNAMIC_DISPATCH(put_in_panel)(lower, count, steps / 2, to + plane_ / sizeof(uint32_t));
  }
  if (bytes_of(form) == 1) HWY_DYNAMIC_DISPATCH(sums_of_bytes)(panel, steps, sums_);
}

void Panel::multiply(const RowsView& rows, size_t begin, size_t end,
                     const PanelTarget& target) const {
  alignas(64) float bias[kPanelOutputs] = {};
  if (target.bias != nullptr) std::copy_n(target.bias + first_, outputs_, bias);
  const PanelProduct product{.panel = numbers_.at<std::byte>(),
                             .output_scales = scales_,
                             .weight_sums = sums_,
                             .bias = bias,
                             .outputs = outputs_,
                             .plane = plane_};
  PanelTarget shifted = target;
  shifted.out += first_;
  switch (form_) {
    case NumberForm::floats:
      HWY_DYNAMIC_DISPATCH(product_of_floats)(rows, begin, end, product, shifted);
      return;
    case NumberForm::shorts:
      HWY_DYNAMIC_DISPATCH(product_of_shorts)(rows, begin, end, product, shifted);
      return;
    case NumberForm::bytes:
      HWY_DYNAMIC_DISPATCH(product_of_bytes)(rows, begin, end, product, shifted);
      return;
    case NumberForm::tiled_shorts:
      HWY_DYNAMIC_DISPATCH(product_of_tiled_shorts)(rows, begin, end, product, shifted);
      return;
    case NumberForm::tiled_bytes:
      HWY_DYNAMIC_DISPATCH(product_of_tiled_bytes)(rows, begin, end, product, shifted);
      return;
  }
}

}  // namespace whisper_s4y
#endif
