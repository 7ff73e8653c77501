#include "common/half.h"

#include <bit>
#include <cstddef>

#include "common/vector_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "common/half.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace whisper_s4y {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// Where a processor converts by itself, it rounds as we do; what Highway computes elsewhere does
// not.
#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_NEON
constexpr bool kConvertsHalves = true;
#else
constexpr bool kConvertsHalves = false;
#endif

constexpr hn::CappedTag<float, 8> kFloats;
constexpr hn::Rebind<hwy::float16_t, decltype(kFloats)> kHalves;
constexpr hn::Rebind<uint16_t, decltype(kFloats)> kBits;

// Both give how many numbers they have converted: whole vectors.

size_t to_halves(const float* in, uint16_t* out, size_t count) {
  size_t i = 0;
  if constexpr (kConvertsHalves) {
    for (; i + hn::Lanes(kFloats) <= count; i += hn::Lanes(kFloats)) {
      const auto converted = hn::DemoteTo(kHalves, hn::LoadU(kFloats, in + i));
      hn::StoreU(hn::BitCast(kBits, converted), kBits, out + i);
    }
  }
  return i;
}

size_t to_floats(const uint16_t* in, float* out, size_t count) {
  size_t i = 0;
  if constexpr (kConvertsHalves) {
    for (; i + hn::Lanes(kFloats) <= count; i += hn::Lanes(kFloats)) {
      const auto stored = hn::BitCast(kHalves, hn::LoadU(kBits, in + i));
      hn::StoreU(hn::PromoteTo(kFloats, stored), kFloats, out + i);
    }
  }
  return i;
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace whisper_s4y
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace whisper_s4y {
namespace {

HWY_EXPORT(to_halves);
HWY_EXPORT(to_floats);

uint16_t to_half(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  const uint32_t sign = (bits >> 16) & 0x8000U;
  const uint32_t magnitude = bits & 0x7FFFFFFFU;
  if (magnitude > 0x7F800000U) return static_cast<uint16_t>(sign | 0x7E00U);   // NaN
  if (magnitude >= 0x477FF000U) return static_cast<uint16_t>(sign | 0x7C00U);  // rounds to infinity
  if (magnitude < 0x38800000U) {
    // Subnormal in half: adding 0.5 lines the mantissa up so that the FPU does the rounding.
    const float aligned = std::bit_cast<float>(magnitude) + 0.5F;
    return static_cast<uint16_t>(sign | (std::bit_cast<uint32_t>(aligned) - 0x3F000000U));
  }
  const uint32_t odd = (magnitude >> 13) & 1U;
  return static_cast<uint16_t>(sign | ((magnitude - 0x38000000U + 0xFFFU + odd) >> 13));
}

float from_half(uint16_t half) {
  const uint32_t sign = static_cast<uint32_t>(half & 0x8000U) << 16;
  const uint32_t magnitude = half & 0x7FFFU;
  if (magnitude >= 0x7C00U) return std::bit_cast<float>(sign | 0x7F800000U | (magnitude << 13));
  if (magnitude < 0x0400U) {
    const float value = static_cast<float>(magnitude) * 0x1p-24F;
    return std::bit_cast<float>(sign | std::bit_cast<uint32_t>(value));
  }
  return std::bit_cast<float>(sign | ((magnitude << 13) + 0x38000000U));
}

}  // namespace

void float_to_half(std::span<const float> in, std::span<uint16_t> out) {
  size_t i = HWY_DYNAMIC_DISPATCH(to_halves)(in.data(), out.data(), in.size());
  for (; i < in.size(); ++i) out[i] = to_half(in[i]);
}

void half_to_float(std::span<const uint16_t> in, std::span<float> out) {
  size_t i = HWY_DYNAMIC_DISPATCH(to_floats)(in.data(), out.data(), in.size());
  for (; i < in.size(); ++i) out[i] = from_half(in[i]);
}

void bfloat16_to_float(std::span<const uint16_t> in, std::span<float> out) {
  for (size_t i = 0; i < in.size(); ++i) {
    out[i] = std::bit_cast<float>(static_cast<uint32_t>(in[i]) << 16);
  }
}

}  // namespace whisper_s4y
#endif
