#include "common/half.h"

#include <bit>
#include <cstddef>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

namespace whisper_s4y {
namespace {

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

#if defined(__x86_64__)
__attribute__((target("avx,f16c"))) size_t half_to_float_f16c(std::span<const uint16_t> in,
                                                              float* out) {
  size_t i = 0;
  for (; i + 8 <= in.size(); i += 8) {
    const __m128i halves = _mm_loadu_si128(reinterpret_cast<const __m128i*>(in.data() + i));
    _mm256_storeu_ps(out + i, _mm256_cvtph_ps(halves));
  }
  return i;
}

__attribute__((target("avx,f16c"))) size_t float_to_half_f16c(std::span<const float> in,
                                                              uint16_t* out) {
  size_t i = 0;
  for (; i + 8 <= in.size(); i += 8) {
    const __m256 floats = _mm256_loadu_ps(in.data() + i);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + i),
                     _mm256_cvtps_ph(floats, _MM_FROUND_TO_NEAREST_INT));
  }
  return i;
}

bool has_f16c() {
  // clang 14 does not know "f16c" here; "avx" tells that the system saves the registers.
  static const bool present = [] {
    unsigned a = 0, b = 0, c = 0, d = 0;
    return __builtin_cpu_supports("avx") && __get_cpuid(1, &a, &b, &c, &d) != 0 &&
           (c & bit_F16C) != 0;
  }();
  return present;
}
#endif

}  // namespace

void float_to_half(std::span<const float> in, std::span<uint16_t> out) {
  size_t i = 0;
#if defined(__x86_64__)
  if (has_f16c()) i = float_to_half_f16c(in, out.data());
#endif
  for (; i < in.size(); ++i) out[i] = to_half(in[i]);
}

void half_to_float(std::span<const uint16_t> in, std::span<float> out) {
  size_t i = 0;
#if defined(__x86_64__)
  if (has_f16c()) i = half_to_float_f16c(in, out.data());
#endif
  for (; i < in.size(); ++i) out[i] = from_half(in[i]);
}

void bfloat16_to_float(std::span<const uint16_t> in, std::span<float> out) {
  for (size_t i = 0; i < in.size(); ++i) {
    out[i] = std::bit_cast<float>(static_cast<uint32_t>(in[i]) << 16);
  }
}

}  // namespace whisper_s4y
