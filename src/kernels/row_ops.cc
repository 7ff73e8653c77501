#include "kernels/row_ops.h"

#include <algorithm>
#include <cmath>

#include "kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/row_ops.cc"
// clang-format off
#include <hwy/foreach_target.h>  // before all others of Highway
#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

#include "kernels/power-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace whisper_s4y {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

constexpr hn::ScalableTag<float> kFloats;
constexpr size_t kLanes = hn::MaxLanes(kFloats);
using Floats = hn::Vec<decltype(kFloats)>;

/// Calls change(vector) for all values, the last of which are filled up with `fill`.
template <typename Change>
HWY_INLINE void for_each_vector(float* values, size_t count, float fill, Change change) {
  size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    hn::StoreU(change(hn::LoadU(kFloats, values + i)), kFloats, values + i);
  }
  if (i == count) return;
  float rest[kLanes];
  std::fill_n(rest, kLanes, fill);
  std::copy_n(values + i, count - i, rest);
  hn::StoreU(change(hn::LoadU(kFloats, rest)), kFloats, rest);
  std::copy_n(rest, count - i, values + i);
}

float sum_of(const float* values, size_t count) {
  auto sums = hn::Zero(kFloats);
  size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) sums = hn::Add(sums, hn::LoadU(kFloats, values + i));
  float sum = hn::GetLane(hn::SumOfLanes(kFloats, sums));
  for (; i < count; ++i) sum += values[i];
  return sum;
}

void normalise(const float* in, const float* gain, const float* bias, size_t count, float* out) {
  constexpr float kEpsilon = 1e-5F;  // PyTorch's default; checkpoints do not carry it
  const float mean = sum_of(in, count) / static_cast<float>(count);
  auto squares = hn::Zero(kFloats);
  const auto middle = hn::Set(kFloats, mean);
  size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    const auto centred = hn::Sub(hn::LoadU(kFloats, in + i), middle);
    squares = hn::MulAdd(centred, centred, squares);
  }
  float square = hn::GetLane(hn::SumOfLanes(kFloats, squares));
  for (; i < count; ++i) square += (in[i] - mean) * (in[i] - mean);
  const float inverse = 1.0F / std::sqrt(square / static_cast<float>(count) + kEpsilon);
  const auto factor = hn::Set(kFloats, inverse);
  for (i = 0; i + kLanes <= count; i += kLanes) {
    const auto scaled = hn::Mul(hn::Sub(hn::LoadU(kFloats, in + i), middle), factor);
    const auto shifted =
        hn::MulAdd(scaled, hn::LoadU(kFloats, gain + i), hn::LoadU(kFloats, bias + i));
    hn::StoreU(shifted, kFloats, out + i);
  }
  for (; i < count; ++i) out[i] = (in[i] - mean) * inverse * gain[i] + bias[i];
}

// x * (1 + erf(x / sqrt(2))) / 2 is x, or 0 where x is negative, less |x| * erfc(|x| / sqrt(2))
// / 2. erfc by Abramowitz and Stegun 7.1.26: 1.5e-7 at most. Its coefficients are halved here.
HWY_INLINE Floats gelu_of(Floats x) {
  const auto of = [](float value) HWY_ATTR { return hn::Set(kFloats, value); };
  const auto magnitude = hn::Abs(x);
  const auto t = hn::Div(of(1.0F), hn::MulAdd(magnitude, of(0.3275911F * 0.70710678F), of(1.0F)));
  auto p = of(0.5307027145F);
  p = hn::MulAdd(p, t, of(-0.7265760135F));
  p = hn::MulAdd(p, t, of(0.7107068705F));
  p = hn::MulAdd(p, t, of(-0.142248368F));
  p = hn::MulAdd(p, t, of(0.127414796F));
  constexpr float kHalfLog2E = 0.7213475204F;
  // Far from numbers so small that processors slow down.
  const auto exponent = hn::Max(hn::Mul(hn::Mul(x, x), of(-kHalfLog2E)), of(-80.0F));
  const auto power = power_of_two(kFloats, exponent);
  const auto tail = hn::Mul(hn::Mul(p, t), power);
  return hn::NegMulAdd(magnitude, tail, hn::Max(x, hn::Zero(kFloats)));
}

void gelu_all(float* values, size_t count) {
  for_each_vector(values, count, 0.0F, [](Floats x) HWY_ATTR { return gelu_of(x); });
}

void softmax_all(float* values, size_t count) {
  auto most = hn::Set(kFloats, values[0]);
  size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) most = hn::Max(most, hn::LoadU(kFloats, values + i));
  float largest = hn::GetLane(hn::MaxOfLanes(kFloats, most));
  for (; i < count; ++i) largest = std::max(largest, values[i]);
  const auto top = hn::Set(kFloats, largest);
  for_each_vector(values, count, largest,
                  [&](Floats x) HWY_ATTR { return hn::Exp(kFloats, hn::Sub(x, top)); });
  const auto factor = hn::Set(kFloats, 1.0F / sum_of(values, count));
  for_each_vector(values, count, 0.0F, [&](Floats x) HWY_ATTR { return hn::Mul(x, factor); });
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace whisper_s4y
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace whisper_s4y {
namespace {

HWY_EXPORT(normalise);
HWY_EXPORT(gelu_all);
HWY_EXPORT(softmax_all);

}  // namespace

void layer_norm(std::span<const float> in, std::span<const float> gain, std::span<const float> bias,
                std::span<float> out) {
  HWY_DYNAMIC_DISPATCH(normalise)(in.data(), gain.data(), bias.data(), in.size(), out.data());
}

void gelu(std::span<float> values) { HWY_DYNAMIC_DISPATCH(gelu_all)(values.data(), values.size()); }

void softmax(std::span<float> values) {
  if (!values.empty()) HWY_DYNAMIC_DISPATCH(softmax_all)(values.data(), values.size());
}

}  // namespace whisper_s4y
#endif
