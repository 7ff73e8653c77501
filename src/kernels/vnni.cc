#include "kernels/vnni.h"

#include "kernels/put_output.h"

#if defined(__x86_64__)

#include <hwy/base.h>
// False alarms in the compiler's own header: GCC bug 105593.
#if !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#include <immintrin.h>

#include <algorithm>
#include <vector>

namespace whisper_s4y {

bool has_vnni() {
  static const bool has = __builtin_cpu_supports("avx512vnni") != 0 &&
                          __builtin_cpu_supports("avx512bw") != 0 &&
                          __builtin_cpu_supports("avx512vl") != 0;
  return has;
}

}  // namespace whisper_s4y

HWY_PUSH_ATTRIBUTES("avx2,fma,avx512f,avx512bw,avx512vl,avx512vnni")
namespace whisper_s4y {
namespace {

// The processor multiplies bytes, those of one factor without a sign. So integers x of 16 bits are
// taken as x + 2^15 = 256 * high + low, and
//   sum(w * x) = 256 * sum(w * high) + sum(w * low) - 2^15 * sum(w).
// The parts may leave 32 bits, the result does not.

constexpr size_t kVector = 64;   // bytes
constexpr size_t kTogether = 4;  // outputs

/// Of each 64 integers first the low bytes, then the high ones.
void split(const int16_t* in, size_t count, uint8_t* planes) {
  const __m512i sign = _mm512_set1_epi16(static_cast<int16_t>(0x8000));
  for (size_t i = 0; i < count; i += kVector / 2) {
    const __m512i x = _mm512_xor_si512(_mm512_loadu_si512(in + i), sign);
    uint8_t* const out = planes + i / kVector * 2 * kVector + i % kVector;
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), _mm512_cvtepi16_epi8(x));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + kVector),
                        _mm512_cvtepi16_epi8(_mm512_srli_epi16(x, 8)));
  }
}

/// One row of weights times kRows rows of activations, in sixteen parts each.
template <size_t kRows>
HWY_INLINE void add_up(const int8_t* weights, size_t columns, const uint8_t* planes, size_t stride,
                       __m512i (&sums)[kRows]) {
  const __m512i ones = _mm512_set1_epi8(1);
  __m512i low[kRows];
  __m512i high[kRows];
  __m512i all = _mm512_setzero_si512();
  for (size_t r = 0; r < kRows; ++r) low[r] = high[r] = all;
  const auto add = [&](__m512i w, size_t column) __attribute__((always_inline)) {
    for (size_t r = 0; r < kRows; ++r) {
      const uint8_t* const at = planes + r * stride + 2 * column;
      low[r] = _mm512_dpbusd_epi32(low[r], _mm512_loadu_si512(at), w);
      high[r] = _mm512_dpbusd_epi32(high[r], _mm512_loadu_si512(at + kVector), w);
    }
    all = _mm512_dpbusd_epi32(all, ones, w);
  };
  size_t column = 0;
  for (; column + kVector <= columns; column += kVector) {
    _mm_prefetch(weights + column + kBytesAhead, _MM_HINT_T0);
    add(_mm512_loadu_si512(weights + column), column);
  }
  if (column < columns) {
    const __mmask64 rest = (uint64_t{1} << (columns - column)) - 1;
    add(_mm512_maskz_loadu_epi8(rest, weights + column), column);
  }
  for (size_t r = 0; r < kRows; ++r) {
    const __m512i sum = _mm512_add_epi32(_mm512_slli_epi32(high[r], 8), low[r]);
    sums[r] = _mm512_sub_epi32(sum, _mm512_slli_epi32(all, 15));
  }
}

/// The sum of the lanes of each of four vectors.
HWY_INLINE __m128 totals_of(const __m512i (&v)[kTogether]) {
  const __m512i ab =
      _mm512_add_epi32(_mm512_unpacklo_epi32(v[0], v[1]), _mm512_unpackhi_epi32(v[0], v[1]));
  const __m512i cd =
      _mm512_add_epi32(_mm512_unpacklo_epi32(v[2], v[3]), _mm512_unpackhi_epi32(v[2], v[3]));
  const __m512i all =
      _mm512_add_epi32(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd));
  const __m256i half =
      _mm256_add_epi32(_mm512_castsi512_si256(all), _mm512_extracti64x4_epi64(all, 1));
  return _mm_cvtepi32_ps(
      _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1)));
}

template <size_t kRows>
void outputs_of(const StoredMatrix& matrix, const uint8_t* planes, size_t stride,
                const float* scales, size_t row, size_t first, size_t last,
                const ProductTarget& target) {
  const auto* weights = reinterpret_cast<const int8_t*>(matrix.bytes);
  for (size_t output = first; output < last; output += kTogether) {
    const size_t count = std::min(kTogether, last - output);
    __m512i sums[kRows][kTogether];
    for (size_t o = 0; o < kTogether; ++o) {
      __m512i of_rows[kRows];
      const size_t of = output + std::min(o, count - 1);  // the last one again where there is none
      add_up<kRows>(weights + of * matrix.columns, matrix.columns, planes, stride, of_rows);
      for (size_t r = 0; r < kRows; ++r) sums[r][o] = of_rows[r];
    }
    for (size_t r = 0; r < kRows; ++r) {
      float totals[kTogether];
      _mm_storeu_ps(totals, _mm_mul_ps(totals_of(sums[r]), _mm_set1_ps(scales[row + r])));
      for (size_t o = 0; o < count; ++o) put_output(matrix, target, row + r, output + o, totals[o]);
    }
  }
}

constexpr size_t kMostRows = 5;  // at once: the hypotheses of a beam search

}  // namespace

void multiply_vnni(const StoredMatrix& matrix, const int16_t* in, size_t in_stride,
                   const float* scales, size_t rows, size_t first, size_t last,
                   const ProductTarget& target) {
  const size_t stride = 2 * in_stride;
  thread_local std::vector<uint8_t> planes;
  planes.resize(stride * kMostRows);
  size_t row = 0;
  const auto together = [&]<size_t kRows>() {
    for (; row + kRows <= rows; row += kRows) {
      for (size_t r = 0; r < kRows; ++r) {
        split(in + (row + r) * in_stride, in_stride, planes.data() + r * stride);
      }
      outputs_of<kRows>(matrix, planes.data(), stride, scales, row, first, last, target);
    }
  };
  together.template operator()<kMostRows>();
  together.template operator()<3>();
  together.template operator()<2>();
  together.template operator()<1>();
}

}  // namespace whisper_s4y
HWY_POP_ATTRIBUTES

#else

namespace whisper_s4y {

bool has_vnni() { return false; }

void multiply_vnni(const StoredMatrix&, const int16_t*, size_t, const float*, size_t, size_t,
                   size_t, const ProductTarget&) {}

}  // namespace whisper_s4y

#endif
