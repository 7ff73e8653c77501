// Greedy decoding inside the graph: the loop, the rules and the tokens' text.
#pragma once

#include "models/decoder.h"
#include "models/weights.h"
#include "tflite/contract.h"

namespace whisper_s4y {

struct LoopInputs {
  Value prompt;         // i32[1, kPromptCapacity]; -1 for the language: the model detects it
  Value prompt_length;  // i32[1], tokens of the prompt in use, at least 1
  Value max_length;     // i32[1], tokens of the whole row at most
};

/// The loop over one model. Its subgraphs are built once, however many signatures run it.
///
/// WHILE copies what it carries at every turn, so there are two loops: the inner one carries the
/// keys and values of one block of positions and only looks at those before the block; the outer
/// one moves finished blocks there.
class GreedyLoop {
 public:
  explicit GreedyLoop(Weights& weights) : weights_(weights) {}

  /// Feeds the prompt, then the most likely token until <|endoftext|> or max_length, as
  /// openai/whisper decoding.py does at temperature 0: SuppressBlank, SuppressTokens, and, unless
  /// the prompt ends in <|notimestamps|>, ApplyTimestampRules. last_hidden_state
  /// f32[1, T, d_model] -> tokens i32[1, S], the prompt in front, <|endoftext|> behind;
  /// S = max_target_positions.
  Value run(Graph& g, Value last_hidden_state, const LoopInputs& inputs);

 private:
  Weights& weights_;
  const Graph* condition_ = nullptr;  // of the outer loop
  const Graph* body_ = nullptr;
};

/// The prompt of language (-1: detected), task and timestamps as constants.
struct PromptDefaults {
  int language_token = -1;  // of a multilingual model
  bool translate = false;
  bool timestamps = false;
  int max_length = 448;
};
LoopInputs constant_inputs(Graph& g, const GenerationConfig& generation,
                           const PromptDefaults& defaults);

}  // namespace whisper_s4y
