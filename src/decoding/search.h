// How tokens are chosen from logits: greedy, sampling, beam search.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <random>
#include <span>
#include <vector>

#include "decoding/decoder_model.h"
#include "decoding/logit_rules.h"

namespace whisper_s4y {

/// A window's text in the making: the given prefix and the tokens sampled after it, without
/// <|endoftext|>, and the sum of the log-probs of the sampled ones (that of the ending
/// <|endoftext|> included) under the filtered logits at temperature 1.
struct Hypothesis {
  std::vector<int> tokens;
  float sum_logprob = 0.0F;
  std::vector<float> logprobs = {};  // of each sampled token
  bool looped = false;               // was stopped because it ran in a loop
};

/// Where sampling begins: the model has been fed `position` tokens, `logits` follow them.
struct SearchStart {
  std::vector<float> logits;  // [vocab_size], unfiltered
  int position = 0;
  std::vector<int> prefix;  // the last of the fed tokens, which belong to the window's text
};

/// Bounds and what ends a hypothesis.
struct SearchLimits {
  int max_tokens = 224;           // sampled tokens
  int max_length = 448;           // stop when start and sampled tokens are more than that
  int eot = -1;                   // <|endoftext|>
  std::optional<int> loop_guard;  // <|0.00|>: stop where the text runs in a loop (loop_guard.h)
};

/// Whether a hypothesis may not grow: enough was sampled, or it is over the context. The reference
/// stops after appending, so one token may stand past the context; it is never fed.
[[nodiscard]] bool is_at_limit(const SearchStart& start, const SearchLimits& limits,
                               const Hypothesis& hypothesis);

/// Random numbers that are the same on every platform for one seed.
class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}
  /// In [0, 1).
  double uniform() { return static_cast<double>(engine_() >> 11U) * 0x1.0p-53; }

 private:
  std::mt19937_64 engine_;
};

/// Told of every token as soon as it is chosen; of beams, of those of the best one so far.
using OnToken = std::function<void(int token)>;

/// Takes the most likely token at every step (openai/whisper decoding.py: GreedyDecoder).
[[nodiscard]] Hypothesis greedy_search(DecoderModel& model, const SearchStart& start,
                                       const LogitRules& rules, const SearchLimits& limits,
                                       const OnToken& on_token = {});

/// `count` independent samples from softmax(logits / temperature), temperature > 0; side by side as
/// far as the model can, else one after another.
[[nodiscard]] std::vector<Hypothesis> sample(DecoderModel& model, const SearchStart& start,
                                             const LogitRules& rules, const SearchLimits& limits,
                                             float temperature, int count, Random& random,
                                             const OnToken& on_token = {});

/// Beam search with patience (decoding.py: BeamSearchDecoder; arXiv 2204.05424). Returns finished
/// hypotheses first; those that ran in a loop are left and only returned when there are no others.
/// beam_size must not exceed model.max_beams().
[[nodiscard]] std::vector<Hypothesis> beam_search(DecoderModel& model, const SearchStart& start,
                                                  const LogitRules& rules,
                                                  const SearchLimits& limits, int beam_size,
                                                  float patience, const OnToken& on_token = {});

/// Index of the best hypothesis: sum_logprob / length, or with `length_penalty` alpha
/// sum_logprob / ((5 + length) / 6)^alpha (decoding.py: MaximumLikelihoodRanker); the length is
/// that after a prefix of `prefix_size` tokens. One that ran in a loop, whose tokens are all too
/// likely, comes after those that did not.
[[nodiscard]] size_t best_hypothesis(std::span<const Hypothesis> hypotheses, size_t prefix_size,
                                     std::optional<float> length_penalty);

}  // namespace whisper_s4y
