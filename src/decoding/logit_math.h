// The few vector operations decoding needs on one row of logits.
#pragma once

#include <span>
#include <vector>

namespace whisper_s4y {

/// Value of a logit that must not be chosen: finite, because a row of -inf turns into NaN in a
/// softmax, and so low that its probability is 0 in float.
inline constexpr float kMaskedLogit = -1e9F;

/// Largest value; kMaskedLogit when empty.
[[nodiscard]] float max_logit(std::span<const float> logits);

/// Index of the largest value, the first one among equals; 0 when empty.
[[nodiscard]] int argmax(std::span<const float> logits);

/// log(sum(exp(logits))); kMaskedLogit when empty.
[[nodiscard]] float log_sum_exp(std::span<const float> logits);

/// softmax(logits)[id].
[[nodiscard]] float softmax_at(std::span<const float> logits, int id);

/// probabilities[i] = exp((logits[i] - max) / temperature), returns their sum. temperature > 0;
/// the two spans have one length.
double exp_scaled(std::span<const float> logits, float temperature, std::span<float> probabilities);

struct ScoredToken {
  int id;
  float logit;
};

/// The `count` largest logits, largest first, lower id first among equals. Reuses `best`.
void top_logits(std::span<const float> logits, int count, std::vector<ScoredToken>& best);

}  // namespace whisper_s4y
