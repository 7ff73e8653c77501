#include "kernels/mel_spectrum.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numbers>
#include <span>

#include "kernels/targets.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/mel_spectrum.cc"
#include <hwy/foreach_target.h>  // before all others of Highway
#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

#include "kernels/transpose-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace whisper_s4y {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// A lane is a frame.
constexpr hn::CappedTag<float, MelSpectrum::kFrames> kFloats;
constexpr size_t kLanes = hn::MaxLanes(kFloats);
using Floats = hn::Vec<decltype(kFloats)>;

struct Complex {
  Complex() = default;  // an implicit one is not compiled for the target
  HWY_INLINE Complex(Floats a, Floats b) : real(a), imaginary(b) {}

  Floats real, imaginary;
};

// A point of a transform is the real parts of all lanes and then the imaginary ones.
constexpr size_t kPoint = 2 * kLanes;

HWY_INLINE Complex load(const float* at) {
  return {hn::Load(kFloats, at), hn::Load(kFloats, at + kLanes)};
}
HWY_INLINE void store(Complex value, float* at) {
  hn::Store(value.real, kFloats, at);
  hn::Store(value.imaginary, kFloats, at + kLanes);
}
HWY_INLINE Complex add(Complex a, Complex b) {
  return {hn::Add(a.real, b.real), hn::Add(a.imaginary, b.imaginary)};
}
HWY_INLINE Complex sub(Complex a, Complex b) {
  return {hn::Sub(a.real, b.real), hn::Sub(a.imaginary, b.imaginary)};
}
HWY_INLINE Complex mul(Complex a, const float* twiddle) {
  const auto real = hn::Set(kFloats, twiddle[0]);
  const auto imaginary = hn::Set(kFloats, twiddle[1]);
  return {hn::NegMulAdd(a.imaginary, imaginary, hn::Mul(a.real, real)),
          hn::MulAdd(a.real, imaginary, hn::Mul(a.imaginary, real))};
}
/// sum + a * factor.
HWY_INLINE Complex mul_add(Complex a, float factor, Complex sum) {
  const auto times = hn::Set(kFloats, factor);
  return {hn::MulAdd(a.real, times, sum.real), hn::MulAdd(a.imaginary, times, sum.imaginary)};
}
HWY_INLINE Complex minus_i_times(Complex a) { return {a.imaginary, hn::Neg(a.real)}; }
HWY_INLINE Floats power(Complex a) {
  return hn::MulAdd(a.real, a.real, hn::Mul(a.imaginary, a.imaginary));
}

// The transform of two, four and five points.
template <size_t kRadix>
HWY_INLINE void butterfly(Complex (&a)[kRadix]) {
  if constexpr (kRadix == 2) {
    const Complex sum = add(a[0], a[1]);
    a[1] = sub(a[0], a[1]);
    a[0] = sum;
  } else if constexpr (kRadix == 4) {
    const Complex even = add(a[0], a[2]);
    const Complex odd = add(a[1], a[3]);
    const Complex even_difference = sub(a[0], a[2]);
    const Complex odd_difference = minus_i_times(sub(a[1], a[3]));
    a[0] = add(even, odd);
    a[1] = add(even_difference, odd_difference);
    a[2] = sub(even, odd);
    a[3] = sub(even_difference, odd_difference);
  } else {
    static_assert(kRadix == 5);
    constexpr float kCos1 = 0.30901699437F;   // of 72 degrees
    constexpr float kCos2 = -0.80901699437F;  // of 144 degrees
    constexpr float kSin1 = 0.95105651630F;
    constexpr float kSin2 = 0.58778525229F;
    const Complex outer = add(a[1], a[4]);
    const Complex inner = add(a[2], a[3]);
    const Complex outer_difference = minus_i_times(sub(a[1], a[4]));
    const Complex inner_difference = minus_i_times(sub(a[2], a[3]));
    const Complex real1 = mul_add(inner, kCos2, mul_add(outer, kCos1, a[0]));
    const Complex real2 = mul_add(inner, kCos1, mul_add(outer, kCos2, a[0]));
    const Complex none = {hn::Zero(kFloats), hn::Zero(kFloats)};
    const Complex rest1 = mul_add(inner_difference, kSin2, mul_add(outer_difference, kSin1, none));
    const Complex rest2 = mul_add(inner_difference, -kSin1, mul_add(outer_difference, kSin2, none));
    a[0] = add(a[0], add(outer, inner));
    a[1] = add(real1, rest1);
    a[2] = add(real2, rest2);
    a[3] = sub(real2, rest2);
    a[4] = sub(real1, rest1);
  }
}

/// A stage of Stockham's transform, which needs no reordering: of `rest` points each of `apart`
/// transforms, which lie point by point side by side, becomes kRadix transforms of rest / kRadix.
template <size_t kRadix>
void stage(const float* from, size_t rest, size_t apart, const float* twiddles, float* to) {
  const size_t step = rest / kRadix;
  for (size_t p = 0; p < step; ++p) {
    for (size_t q = 0; q < apart; ++q) {
      Complex a[kRadix];
      for (size_t j = 0; j < kRadix; ++j) a[j] = load(from + (q + apart * (p + step * j)) * kPoint);
      butterfly(a);
      float* out = to + (q + apart * kRadix * p) * kPoint;
      store(a[0], out);
      for (size_t k = 1; k < kRadix; ++k) {
        store(mul(a[k], twiddles + 2 * (p * k * apart)), out + apart * k * kPoint);
      }
    }
  }
}

/// Powers of all frequencies of kLanes frames. samples [2 * points] numbers, kFrames apart, are
/// those of the frames side by side; buffers [2][points * kPoint].
HWY_INLINE void powers_of(const float* samples, const float* window, size_t points,
                          std::span<const size_t> radices, const float* twiddles,
                          const float* halves, float* buffers, float* powers) {
  constexpr size_t kFrames = MelSpectrum::kFrames;
  // Even and odd samples are real and imaginary parts of half as many points.
  float* from = buffers;
  float* to = buffers + points * kPoint;
  for (size_t i = 0; i < points; ++i) {
    const auto part = [&](size_t n) HWY_ATTR {
      return hn::Mul(hn::Load(kFloats, samples + n * kFrames), hn::Set(kFloats, window[n]));
    };
    store({part(2 * i), part(2 * i + 1)}, from + i * kPoint);
  }
  size_t rest = points;
  size_t apart = 1;
  for (const size_t radix : radices) {
    switch (radix) {
      case 2:
        stage<2>(from, rest, apart, twiddles, to);
        break;
      case 4:
        stage<4>(from, rest, apart, twiddles, to);
        break;
      default:
        stage<5>(from, rest, apart, twiddles, to);
        break;
    }
    std::swap(from, to);
    rest /= radix;
    apart *= radix;
  }
  // The window was halved, so that sums of two points need not be.
  const auto put = [&](size_t frequency, Floats value)
                       HWY_ATTR { hn::Store(value, kFloats, powers + frequency * kFrames); };
  const Complex first = load(from);
  const auto sum = hn::Add(first.real, first.imaginary);
  const auto difference = hn::Sub(first.real, first.imaginary);
  const auto four = hn::Set(kFloats, 4.0F);
  put(0, hn::Mul(four, hn::Mul(sum, sum)));
  put(points, hn::Mul(four, hn::Mul(difference, difference)));
  for (size_t k = 1; k <= points / 2; ++k) {
    const Complex a = load(from + k * kPoint);
    Complex b = load(from + (points - k) * kPoint);
    b.imaginary = hn::Neg(b.imaginary);
    const Complex even = add(a, b);
    const Complex odd = mul(minus_i_times(sub(a, b)), halves + 2 * k);
    put(k, power(add(even, odd)));
    put(points - k, power(sub(even, odd)));
  }
}

void all_powers(const float* samples, const float* window, size_t points,
                std::span<const size_t> radices, const float* twiddles, const float* halves,
                float* buffers, float* powers) {
  for (size_t frame = 0; frame < MelSpectrum::kFrames; frame += kLanes) {
    powers_of(samples + frame, window, points, radices, twiddles, halves, buffers, powers + frame);
  }
}

/// Returns the largest of the first `count` frames.
float energies(const float* powers, std::span<const PassBand> filters, const float* weights,
               float least, size_t count, float* out, size_t stride) {
  constexpr size_t kFrames = MelSpectrum::kFrames;
  const auto lowest = hn::Set(kFloats, least);
  const auto of_ten = hn::Set(kFloats, 1.0F / std::numbers::ln10_v<float>);
  alignas(64) float logs[kFrames];
  auto largest = hn::Set(kFloats, -3.4e38F);
  for (const PassBand& filter : filters) {
    const float* factors = weights + filter.weights;
    for (size_t frame = 0; frame < count; frame += kLanes) {
      const float* at = powers + filter.first * kFrames + frame;
      auto energy = hn::Zero(kFloats);
      for (size_t i = 0; i < filter.count; ++i) {
        energy =
            hn::MulAdd(hn::Set(kFloats, factors[i]), hn::Load(kFloats, at + i * kFrames), energy);
      }
      const auto log = hn::Mul(hn::Log(kFloats, hn::Max(energy, lowest)), of_ten);
      hn::Store(log, kFloats, logs + frame);
      const auto valid = hn::FirstN(kFloats, count - frame);
      largest = hn::Max(largest, hn::IfThenElse(valid, log, largest));
    }
    std::copy_n(logs, count, out);
    out += stride;
  }
  return hn::GetLane(hn::MaxOfLanes(kFloats, largest));
}

void turn(const float* samples, size_t hop, size_t count, float* out) {
  transpose(samples, hop, MelSpectrum::kFrames, count, out, MelSpectrum::kFrames);
}

void clamp_all(float* values, size_t count, float lowest, float shift, float factor) {
  const auto change = [&](Floats value) HWY_ATTR {
    const auto clamped = hn::Max(value, hn::Set(kFloats, lowest));
    return hn::Mul(hn::Add(clamped, hn::Set(kFloats, shift)), hn::Set(kFloats, factor));
  };
  size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    hn::StoreU(change(hn::LoadU(kFloats, values + i)), kFloats, values + i);
  }
  for (; i < count; ++i) values[i] = (std::max(values[i], lowest) + shift) * factor;
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace whisper_s4y
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace whisper_s4y {
namespace {

HWY_EXPORT(turn);
HWY_EXPORT(all_powers);
HWY_EXPORT(energies);
HWY_EXPORT(clamp_all);

}  // namespace

MelSpectrum::MelSpectrum(std::span<const double> window, std::span<const float> filters) {
  const size_t points = window.size() / 2;
  const size_t frequencies = points + 1;
  for (const double factor : window) window_.push_back(static_cast<float>(factor / 2));
  for (size_t rest = points; rest > 1; rest /= radices_.back()) {
    radices_.push_back(rest % 5 == 0 ? 5 : rest % 4 == 0 ? 4 : 2);
  }
  const auto add_point = [](std::vector<float>& points_of_circle, size_t i, size_t of) {
    const double angle = -2.0 * std::numbers::pi * static_cast<double>(i) / static_cast<double>(of);
    points_of_circle.push_back(static_cast<float>(std::cos(angle)));
    points_of_circle.push_back(static_cast<float>(std::sin(angle)));
  };
  for (size_t i = 0; i < points; ++i) add_point(twiddles_, i, points);
  for (size_t i = 0; i <= points / 2; ++i) add_point(halves_, i, 2 * points);
  for (size_t at = 0; at < filters.size(); at += frequencies) {
    const auto weights = filters.subspan(at, frequencies);
    const auto passes = [](float weight) { return weight != 0.0F; };
    const auto first = std::ranges::find_if(weights, passes);
    const auto last = std::find_if(weights.rbegin(), std::make_reverse_iterator(first), passes);
    filters_.push_back({.first = static_cast<size_t>(first - weights.begin()),
                        .count = static_cast<size_t>(last.base() - first),
                        .weights = weights_.size()});
    weights_.insert(weights_.end(), first, last.base());
  }
}

float MelSpectrum::logs(const float* samples, size_t hop, size_t count, float least,
                        Scratch& scratch, float* out, size_t stride) const {
  const size_t size = window_.size();
  const size_t points = size / 2;
  float* turned = scratch.samples_.room<float>(size * kFrames);
  float* buffers = scratch.points_.room<float>(2 * size * kFrames);
  float* powers = scratch.powers_.room<float>((points + 1) * kFrames);
  HWY_DYNAMIC_DISPATCH(turn)(samples, hop, size, turned);
  HWY_DYNAMIC_DISPATCH(all_powers)
  (turned, window_.data(), points, radices_, twiddles_.data(), halves_.data(), buffers, powers);
  return HWY_DYNAMIC_DISPATCH(energies)(powers, filters_, weights_.data(), least, count, out,
                                        stride);
}

void clamp_and_scale(std::span<float> values, float lowest, float shift, float factor) {
  HWY_DYNAMIC_DISPATCH(clamp_all)(values.data(), values.size(), lowest, shift, factor);
}

}  // namespace whisper_s4y
#endif
