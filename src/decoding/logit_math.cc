#include "decoding/logit_math.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "common/vector_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "decoding/logit_math.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace whisper_s4y {
namespace HWY_NAMESPACE {
namespace {

// Eight floats: one register with AVX, two with SSE2 or NEON. The compiler may not reorder float
// sums and maxima itself, so the lanes are spelt out; GCC and Clang share this extension. Nor may
// it join multiplications and additions (CMakeLists.txt), so that results are the same everywhere.
using Floats = float __attribute__((vector_size(32)));
using Ints = int32_t __attribute__((vector_size(32)));
constexpr size_t kLanes = 8;
// Length of a run summed in float before it is added to a double; a multiple of kLanes.
constexpr size_t kBlock = 512;

HWY_INLINE Floats splat(float value) {
  return Floats{value, value, value, value, value, value, value, value};
}

HWY_INLINE Floats load(const float* values) {
  Floats result;
  std::memcpy(&result, values, sizeof(result));
  return result;
}

HWY_INLINE void store(Floats vector, float* values) {
  std::memcpy(values, &vector, sizeof(vector));
}

// Not std::bit_cast, which is compiled for the least processor.
template <typename To, typename From>
HWY_INLINE To same_bits(From vector) {
  To result;
  std::memcpy(&result, &vector, sizeof(result));
  return result;
}

HWY_INLINE Floats larger(Floats a, Floats b) { return a > b ? a : b; }

HWY_INLINE float sum(Floats v) {
  return ((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7]));
}

HWY_INLINE float max_of(Floats v) {
  float result = v[0];
  for (size_t lane = 1; lane < kLanes; ++lane) result = std::max(result, v[lane]);
  return result;
}

// exp(x) for x <= 0 to 2 ulp. Range reduction x = n ln 2 + r with ln 2 in two parts (Cody and
// Waite), then the Taylor series to the 7th power, enough for |r| <= ln(2) / 2. Below -87 it stays
// at the smallest normal number.
HWY_INLINE Floats exp_of_negative(Floats x) {
  x = larger(x, splat(-87.0F));
  const Floats round = splat(12582912.0F);  // 1.5 * 2^23: adding it rounds to an integer
  const Floats shifted = x * splat(1.44269504F) + round;
  const Floats n = shifted - round;
  const Floats r = (x - n * splat(0.693359375F)) - n * splat(-2.12194440e-4F);
  Floats p = splat(1.0F / 5040.0F);
  p = p * r + splat(1.0F / 720.0F);
  p = p * r + splat(1.0F / 120.0F);
  p = p * r + splat(1.0F / 24.0F);
  p = p * r + splat(1.0F / 6.0F);
  p = p * r + splat(0.5F);
  p = p * r + splat(1.0F);
  p = p * r + splat(1.0F);
  const Ints exponent = (same_bits<Ints>(shifted) + 127) << 23;
  return p * same_bits<Floats>(exponent);
}

// Fewer values than lanes, the rest filled with `fill`.
HWY_INLINE Floats load_part(std::span<const float> values, float fill) {
  Floats result = splat(fill);
  for (size_t i = 0; i < values.size(); ++i) result[i] = values[i];
  return result;
}

float max_of_block(std::span<const float> values) {
  Floats a = splat(kMaskedLogit);
  Floats b = a;
  const float* v = values.data();
  size_t i = 0;
  for (; i + 2 * kLanes <= values.size(); i += 2 * kLanes) {
    a = larger(load(v + i), a);
    b = larger(load(v + i + kLanes), b);
  }
  a = larger(b, a);
  float result = max_of(a);
  for (; i < values.size(); ++i) result = std::max(result, values[i]);
  return result;
}

double sum_exp_scaled(std::span<const float> logits, float temperature,
                      std::span<float> probabilities) {
  const Floats maximum = splat(max_of_block(logits));
  const Floats scale = splat(1.0F / temperature);
  double total = 0;
  for (size_t begin = 0; begin < logits.size(); begin += kBlock) {
    const size_t end = std::min(begin + kBlock, logits.size());
    Floats block = splat(0.0F);
    size_t i = begin;
    for (; i + kLanes <= end; i += kLanes) {
      const Floats e = exp_of_negative((load(logits.data() + i) - maximum) * scale);
      store(e, probabilities.data() + i);
      block += e;
    }
    total += sum(block);
    if (i == end) continue;
    const auto rest = logits.subspan(i, end - i);
    const Floats e = exp_of_negative((load_part(rest, kMaskedLogit) - maximum) * scale);
    for (size_t lane = 0; lane < rest.size(); ++lane) {
      probabilities[i + lane] = e[lane];
      total += e[lane];
    }
  }
  return total;
}

float sum_log_exp(std::span<const float> logits) {
  if (logits.empty()) return kMaskedLogit;
  const float top = max_of_block(logits);
  const Floats maximum = splat(top);
  double total = 0;
  for (size_t begin = 0; begin < logits.size(); begin += kBlock) {
    const size_t end = std::min(begin + kBlock, logits.size());
    Floats block = splat(0.0F);
    size_t i = begin;
    for (; i + kLanes <= end; i += kLanes) {
      block += exp_of_negative(load(logits.data() + i) - maximum);
    }
    total += sum(block);
    const auto rest = logits.subspan(i, end - i);
    const Floats e = exp_of_negative(load_part(rest, kMaskedLogit) - maximum);
    for (size_t lane = 0; lane < rest.size(); ++lane) total += e[lane];
  }
  return top + static_cast<float>(std::log(total));
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace whisper_s4y
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace whisper_s4y {
namespace {

HWY_EXPORT(max_of_block);
HWY_EXPORT(sum_exp_scaled);
HWY_EXPORT(sum_log_exp);

constexpr size_t kSearchedBlock = 512;

}  // namespace

float max_logit(std::span<const float> logits) {
  return HWY_DYNAMIC_DISPATCH(max_of_block)(logits);
}

int argmax(std::span<const float> logits) {
  size_t best_block = 0;
  float best = kMaskedLogit;
  for (size_t begin = 0; begin < logits.size(); begin += kSearchedBlock) {
    const float value =
        max_logit(logits.subspan(begin, std::min(kSearchedBlock, logits.size() - begin)));
    if (value > best) {
      best = value;
      best_block = begin;
    }
  }
  for (size_t i = best_block; i < logits.size(); ++i) {
    if (logits[i] >= best) return static_cast<int>(i);
  }
  return 0;
}

double exp_scaled(std::span<const float> logits, float temperature,
                  std::span<float> probabilities) {
  return HWY_DYNAMIC_DISPATCH(sum_exp_scaled)(logits, temperature, probabilities);
}

float log_sum_exp(std::span<const float> logits) {
  return HWY_DYNAMIC_DISPATCH(sum_log_exp)(logits);
}

float softmax_at(std::span<const float> logits, int id) {
  return std::exp(logits[static_cast<size_t>(id)] - log_sum_exp(logits));
}

void top_logits(std::span<const float> logits, int count, std::vector<ScoredToken>& best) {
  best.clear();
  const auto wanted = std::min(static_cast<size_t>(count), logits.size());
  if (wanted == 0) return;
  constexpr size_t kShortBlock = 64;
  for (size_t begin = 0; begin < logits.size(); begin += kShortBlock) {
    const size_t end = std::min(begin + kShortBlock, logits.size());
    if (best.size() == wanted &&
        max_logit(logits.subspan(begin, end - begin)) <= best.back().logit) {
      continue;
    }
    for (size_t i = begin; i < end; ++i) {
      const float value = logits[i];
      if (best.size() == wanted) {
        if (value <= best.back().logit) continue;
        best.pop_back();
      }
      const auto at =
          std::upper_bound(best.begin(), best.end(), value,
                           [](float left, const ScoredToken& right) { return left > right.logit; });
      best.insert(at, {static_cast<int>(i), value});
    }
  }
}

}  // namespace whisper_s4y
#endif
