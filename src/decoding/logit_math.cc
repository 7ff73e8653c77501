#include "decoding/logit_math.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace whisper_s4y {
namespace {

// Lanes of independent accumulators: the compiler may not reorder float sums and maxima itself, but
// it may put these into vector registers.
constexpr size_t kLanes = 16;
// Length of a run summed in float before it is added to a double.
constexpr size_t kBlock = 512;

// exp(x) for x <= 0 to 2 ulp without calls and branches, so that loops over it become vector code.
// Range reduction x = n ln 2 + r with ln 2 in two parts (Cody and Waite), then the Taylor series to
// the 7th power, enough for |r| <= ln(2) / 2. Below -87 it stays at the smallest normal number.
inline float exp_of_negative(float x) {
  constexpr float kLog2E = 1.44269504F;
  constexpr float kLn2High = 0.693359375F;
  constexpr float kLn2Low = -2.12194440e-4F;
  constexpr float kRound = 12582912.0F;  // 1.5 * 2^23: adding it rounds to an integer
  x = x > -87.0F ? x : -87.0F;
  const float shifted = x * kLog2E + kRound;
  const float n = shifted - kRound;
  const float r = (x - n * kLn2High) - n * kLn2Low;
  float p = 1.0F / 5040.0F;
  p = p * r + 1.0F / 720.0F;
  p = p * r + 1.0F / 120.0F;
  p = p * r + 1.0F / 24.0F;
  p = p * r + 1.0F / 6.0F;
  p = p * r + 0.5F;
  p = p * r + 1.0F;
  p = p * r + 1.0F;
  const uint32_t exponent = (std::bit_cast<uint32_t>(shifted) + 127U) << 23U;
  return p * std::bit_cast<float>(exponent);
}

float block_max(const float* values, size_t size) {
  std::array<float, kLanes> lanes;
  lanes.fill(kMaskedLogit);
  size_t i = 0;
  for (; i + kLanes <= size; i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) {
      const float value = values[i + lane];
      lanes[lane] = value > lanes[lane] ? value : lanes[lane];
    }
  }
  float result = kMaskedLogit;
  for (; i < size; ++i) result = values[i] > result ? values[i] : result;
  for (const float lane : lanes) result = lane > result ? lane : result;
  return result;
}

}  // namespace

float max_logit(std::span<const float> logits) { return block_max(logits.data(), logits.size()); }

int argmax(std::span<const float> logits) {
  size_t best_block = 0;
  float best = kMaskedLogit;
  for (size_t begin = 0; begin < logits.size(); begin += kBlock) {
    const float value = block_max(logits.data() + begin, std::min(kBlock, logits.size() - begin));
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
  const float maximum = max_logit(logits);
  const float scale = 1.0F / temperature;
  const size_t size = logits.size();
  double total = 0;
  for (size_t begin = 0; begin < size; begin += kBlock) {
    const size_t end = std::min(begin + kBlock, size);
    for (size_t i = begin; i < end; ++i) {
      probabilities[i] = exp_of_negative((logits[i] - maximum) * scale);
    }
    float sum = 0;
    for (size_t i = begin; i < end; ++i) sum += probabilities[i];
    total += sum;
  }
  return total;
}

float log_sum_exp(std::span<const float> logits) {
  const float maximum = max_logit(logits);
  const size_t size = logits.size();
  if (size == 0) return kMaskedLogit;
  double total = 0;
  size_t begin = 0;
  for (; begin + kLanes <= size; begin += kBlock) {
    const size_t whole = (std::min(begin + kBlock, size) - begin) / kLanes * kLanes;
    std::array<float, kLanes> lanes{};
    for (size_t i = begin; i < begin + whole; i += kLanes) {
      for (size_t lane = 0; lane < kLanes; ++lane) {
        lanes[lane] += exp_of_negative(logits[i + lane] - maximum);
      }
    }
    for (const float lane : lanes) total += lane;
  }
  for (size_t i = size / kLanes * kLanes; i < size; ++i) {
    total += exp_of_negative(logits[i] - maximum);
  }
  return maximum + static_cast<float>(std::log(total));
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
        block_max(logits.data() + begin, end - begin) <= best.back().logit) {
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
