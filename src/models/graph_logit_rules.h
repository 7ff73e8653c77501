// The rules on logits of openai/whisper decoding.py as graph ops, for the one-call signatures. Twin
// of decoding/logit_rules.h: a rule that changes changes in both, and tests/models/golden_test.cc
// holds both to the same tokens.
#pragma once

#include "models/weights.h"

namespace whisper_s4y {

/// What the rules remember of the tokens sampled so far; all i32[1].
struct SampledState {
  Value count;                // tokens sampled
  Value last_is_timestamp;    // 0 or 1
  Value before_is_timestamp;  // of the token before the last; 1 while there are fewer than two
  Value last_timestamp;       // index of the last timestamp, in steps of 20 ms; -1: none yet
};

/// Applies SuppressBlank, SuppressTokens and, where `timestamps` (i32[1]) is 1,
/// ApplyTimestampRules to logits f32[1, vocab_size]; returns the most likely token i32[1].
Value next_token(Graph& g, const ModelConfig& config, const GenerationConfig& generation,
                 Value logits, Value timestamps, const SampledState& state);

/// The most likely language token i32[1] of logits f32[1, vocab_size].
Value most_likely_language(Graph& g, const GenerationConfig& generation, Value logits);

/// The state after `token` i32[1] was sampled.
SampledState after_token(Graph& g, const GenerationConfig& generation, Value token,
                         const SampledState& state);

}  // namespace whisper_s4y
