#include "decoding/logit_math.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace whisper_s4y {
namespace {

// Four floats in one register of any CPU this runs on (SSE2, NEON). The compiler may not reorder
// float sums and maxima itself, so the lanes are spelt out; GCC and Clang share this extension.
using Float4 = float __attribute__((vector_size(16)));
using Int4 = int32_t __attribute__((vector_size(16)));
constexpr size_t kLanes = 4;
// Length of a run summed in float before it is added to a double; a multiple of kLanes.
constexpr size_t kBlock = 512;

inline Float4 splat(float value) { return Float4{value, value, value, value}; }

inline Float4 load(const float* values) {
  Float4 result;
  std::memcpy(&result, values, sizeof(result));
  return result;
}

inline void store(Float4 vector, float* values) { std::memcpy(values, &vector, sizeof(vector)); }

inline Float4 larger(Float4 a, Float4 b) { return a > b ? a : b; }

inline float sum(Float4 v) { return (v[0] + v[2]) + (v[1] + v[3]); }

// exp(x) for x <= 0 to 2 ulp. Range reduction x = n ln 2 + r with ln 2 in two parts (Cody and
// Waite), then the Taylor series to the 7th power, enough for |r| <= ln(2) / 2. Below -87 it stays
// at the smallest normal number.
inline Float4 exp_of_negative(Float4 x) {
  x = larger(x, splat(-87.0F));
  const Float4 round = splat(12582912.0F);  // 1.5 * 2^23: adding it rounds to an integer
  const Float4 shifted = x * splat(1.44269504F) + round;
  const Float4 n = shifted - round;
  const Float4 r = (x - n * splat(0.693359375F)) - n * splat(-2.12194440e-4F);
  Float4 p = splat(1.0F / 5040.0F);
  p = p * r + splat(1.0F / 720.0F);
  p = p * r + splat(1.0F / 120.0F);
  p = p * r + splat(1.0F / 24.0F);
  p = p * r + splat(1.0F / 6.0F);
  p = p * r + splat(0.5F);
  p = p * r + splat(1.0F);
  p = p * r + splat(1.0F);
  const Int4 exponent = (std::bit_cast<Int4>(shifted) + 127) << 23;
  return p * std::bit_cast<Float4>(exponent);
}

// Up to four values, the rest filled with `fill`.
Float4 load_part(std::span<const float> values, float fill) {
  Float4 result = splat(fill);
  for (size_t i = 0; i < values.size(); ++i) result[i] = values[i];
  return result;
}

float block_max(std::span<const float> values) {
  Float4 a = splat(kMaskedLogit);
  Float4 b = a;
  const float* v = values.data();
  size_t i = 0;
  for (; i + 2 * kLanes <= values.size(); i += 2 * kLanes) {
    a = larger(load(v + i), a);
    b = larger(load(v + i + kLanes), b);
  }
  a = larger(b, a);
  float result = std::max(std::max(a[0], a[1]), std::max(a[2], a[3]));
  for (; i < values.size(); ++i) result = std::max(result, values[i]);
  return result;
}

}  // namespace

float max_logit(std::span<const float> logits) { return block_max(logits); }

int argmax(std::span<const float> logits) {
  size_t best_block = 0;
  float best = kMaskedLogit;
  for (size_t begin = 0; begin < logits.size(); begin += kBlock) {
    const float value = block_max(logits.subspan(begin, std::min(kBlock, logits.size() - begin)));
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
  const Float4 maximum = splat(max_logit(logits));
  const Float4 scale = splat(1.0F / temperature);
  double total = 0;
  for (size_t begin = 0; begin < logits.size(); begin += kBlock) {
    const size_t end = std::min(begin + kBlock, logits.size());
    Float4 block = splat(0.0F);
    size_t i = begin;
    for (; i + kLanes <= end; i += kLanes) {
      const Float4 e = exp_of_negative((load(logits.data() + i) - maximum) * scale);
      store(e, probabilities.data() + i);
      block += e;
    }
    total += sum(block);
    if (i == end) continue;
    const auto rest = logits.subspan(i, end - i);
    const Float4 e = exp_of_negative((load_part(rest, kMaskedLogit) - maximum) * scale);
    for (size_t lane = 0; lane < rest.size(); ++lane) {
      probabilities[i + lane] = e[lane];
      total += e[lane];
    }
  }
  return total;
}

float log_sum_exp(std::span<const float> logits) {
  if (logits.empty()) return kMaskedLogit;
  const float top = max_logit(logits);
  const Float4 maximum = splat(top);
  double total = 0;
  for (size_t begin = 0; begin < logits.size(); begin += kBlock) {
    const size_t end = std::min(begin + kBlock, logits.size());
    Float4 block = splat(0.0F);
    size_t i = begin;
    for (; i + kLanes <= end; i += kLanes) {
      block += exp_of_negative(load(logits.data() + i) - maximum);
    }
    total += sum(block);
    const auto rest = logits.subspan(i, end - i);
    const Float4 e = exp_of_negative(load_part(rest, kMaskedLogit) - maximum);
    for (size_t lane = 0; lane < rest.size(); ++lane) total += e[lane];
  }
  return top + static_cast<float>(std::log(total));
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
        block_max(logits.subspan(begin, end - begin)) <= best.back().logit) {
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
