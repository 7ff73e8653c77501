#include "models/decode_loop.h"

#include <fmt/format.h>

#include "graph/ops.h"
#include "models/logit_rules.h"
#include "whisper_s4y/error.h"

namespace whisper_s4y {
namespace {

/// Everything the loop carries, in the order in which WHILE passes it.
struct LoopState {
  Value position;  // i32[1], where `token` goes
  Value token;     // i32[1], fed next
  Value tokens;    // i32[1, S], all tokens so far
  SampledState sampled;
  Value prompt;  // unchanged from here on
  Value prompt_length;
  Value max_length;
  Value timestamps;    // i32[1], 1: the timestamp rules hold
  DecoderCache cache;  // its self part changes

  [[nodiscard]] std::vector<Value> values() const {
    std::vector<Value> all{position,
                           token,
                           tokens,
                           sampled.count,
                           sampled.last_is_timestamp,
                           sampled.before_is_timestamp,
                           sampled.last_timestamp,
                           prompt,
                           prompt_length,
                           max_length,
                           timestamps};
    for (const auto* part : {&cache.self_k, &cache.self_v, &cache.cross_k, &cache.cross_v}) {
      all.insert(all.end(), part->begin(), part->end());
    }
    return all;
  }
};

LoopState state_inputs(Graph& g, const Graph& outer, const LoopState& state) {
  LoopState inner;
  const auto like = [&](std::string name, Value value) {
    return g.input(std::move(name), outer.dtype(value), outer.shape(value));
  };
  inner.position = like("position", state.position);
  inner.token = like("token", state.token);
  inner.tokens = like("tokens", state.tokens);
  inner.sampled.count = like("count", state.sampled.count);
  inner.sampled.last_is_timestamp = like("last_is_timestamp", state.sampled.last_is_timestamp);
  inner.sampled.before_is_timestamp =
      like("before_is_timestamp", state.sampled.before_is_timestamp);
  inner.sampled.last_timestamp = like("last_timestamp", state.sampled.last_timestamp);
  inner.prompt = like("prompt", state.prompt);
  inner.prompt_length = like("prompt_length", state.prompt_length);
  inner.max_length = like("max_length", state.max_length);
  inner.timestamps = like("timestamps", state.timestamps);
  const auto all_like = [&](std::string_view name, const std::vector<Value>& values) {
    std::vector<Value> inputs;
    for (size_t i = 0; i < values.size(); ++i) {
      inputs.push_back(like(fmt::format("{}_{}", name, i), values[i]));
    }
    return inputs;
  };
  inner.cache.self_k = all_like("self_k", state.cache.self_k);
  inner.cache.self_v = all_like("self_v", state.cache.self_v);
  inner.cache.cross_k = all_like("cross_k", state.cache.cross_k);
  inner.cache.cross_v = all_like("cross_v", state.cache.cross_v);
  return inner;
}

/// Goes on while there is room for another token and the last one is not <|endoftext|> (unless it
/// belongs to the prompt).
Graph& loop_condition(Graph& outer, const LoopState& state, const GenerationConfig& generation) {
  Graph& g = outer.module().add_graph("decode_continue");
  const LoopState s = state_inputs(g, outer, state);
  const Value next = add(g, s.position, g.constant_i32({1}));
  const Value room = less(g, next, s.max_length);
  const Value in_prompt = less(g, next, s.prompt_length);
  const Value going = not_equal(g, s.token, g.constant_i32({generation.eos_token_id}));
  g.set_outputs({logical_and(g, room, logical_or(g, in_prompt, going))});
  return g;
}

/// Feeds one token and finds the next: from the prompt, from language detection or by the rules.
Graph& loop_body(Graph& outer, const LoopState& state, Weights& weights) {
  const ModelConfig& config = weights.config();
  const GenerationConfig& generation = weights.generation();
  Graph& g = outer.module().add_graph("decode_body");
  LoopState s = state_inputs(g, outer, state);
  const DecoderPass pass = decode_sequence(g, weights, s.token, s.position, s.cache);
  const Value logits = weights.logits(g, reshape(g, pass.hidden, {1, config.d_model}));
  const Value sampled = next_token(g, config, generation, logits, s.timestamps, s.sampled);

  const Value next = add(g, s.position, g.constant_i32({1}));
  const Value in_prompt = less(g, next, s.prompt_length);
  const Value last = g.constant_i32({kPromptCapacity - 1});
  Value given = gather(g, reshape(g, s.prompt, {kPromptCapacity}), minimum(g, next, last));
  if (!generation.lang_to_id.empty()) {
    given = select(g, less(g, given, g.constant_i32({0})),
                   most_likely_language(g, generation, logits), given);
  }
  const SampledState after = after_token(g, generation, sampled, s.sampled);
  s.sampled.count = select(g, in_prompt, s.sampled.count, after.count);
  s.sampled.last_is_timestamp =
      select(g, in_prompt, s.sampled.last_is_timestamp, after.last_is_timestamp);
  s.sampled.before_is_timestamp =
      select(g, in_prompt, s.sampled.before_is_timestamp, after.before_is_timestamp);
  s.sampled.last_timestamp = select(g, in_prompt, s.sampled.last_timestamp, after.last_timestamp);
  s.token = select(g, in_prompt, given, sampled);
  s.tokens = dynamic_update_slice(g, s.tokens, reshape(g, s.token, {1, 1}),
                                  concat(g, {g.constant_i32({0}), next}, 0));
  s.position = next;
  g.set_outputs(s.values());
  return g;
}

Value zeros(Graph& g, const Shape& shape) { return broadcast_to(g, g.constant(0.0F), shape); }

}  // namespace

Value GreedyLoop::run(Graph& g, Value last_hidden_state, const LoopInputs& inputs) {
  const ModelConfig& config = weights_.config();
  const GenerationConfig& generation = weights_.generation();
  const int positions = config.max_target_positions;
  const int heads = config.decoder_attention_heads;
  const int e = config.d_model / heads;

  LoopState state;
  const Value zero = g.constant_i32({0});
  state.position = zero;
  const Value prompt = reshape(g, inputs.prompt, {kPromptCapacity});
  state.token = gather(g, prompt, zero);
  state.tokens = dynamic_update_slice(
      g,
      g.constant_i32(std::vector<int32_t>(static_cast<size_t>(positions), generation.eos_token_id),
                     {1, positions}),
      reshape(g, state.token, {1, 1}), g.constant_i32({0, 0}));
  state.sampled = {.count = zero,
                   .last_is_timestamp = zero,
                   .before_is_timestamp = g.constant_i32({1}),
                   .last_timestamp = g.constant_i32({-1})};
  state.prompt = inputs.prompt;
  state.prompt_length = minimum(g, inputs.prompt_length, g.constant_i32({kPromptCapacity}));
  // The position never passes the table of positions, whatever the caller asks for.
  state.max_length = minimum(g, inputs.max_length, g.constant_i32({positions}));
  const Value last_of_prompt =
      gather(g, prompt, maximum(g, sub(g, state.prompt_length, g.constant_i32({1})), zero));
  state.timestamps =
      cast(g, not_equal(g, last_of_prompt, g.constant_i32({generation.no_timestamps_token_id})),
           DType::i32);
  cross_attention_cache(g, weights_, last_hidden_state, state.cache);
  for (int i = 0; i < config.decoder_layers; ++i) {
    state.cache.self_k.push_back(zeros(g, {1, heads, positions, e}));
    state.cache.self_v.push_back(zeros(g, {1, heads, e, positions}));
  }
  if (body_ == nullptr) {
    condition_ = &loop_condition(g, state, generation);
    body_ = &loop_body(g, state, weights_);
  }
  return while_loop(g, state.values(), *condition_, *body_)[2];
}

LoopInputs constant_inputs(Graph& g, const GenerationConfig& generation,
                           const PromptDefaults& defaults) {
  std::vector<int32_t> prompt{generation.decoder_start_token_id};
  if (generation.is_multilingual) {
    prompt.push_back(defaults.language_token);
    prompt.push_back(defaults.translate ? generation.translate_token_id
                                        : generation.transcribe_token_id);
  } else if (defaults.translate) {
    fail("An English-only model cannot translate.");
  }
  if (!defaults.timestamps) prompt.push_back(generation.no_timestamps_token_id);
  const auto length = static_cast<int32_t>(prompt.size());
  prompt.resize(kPromptCapacity, generation.eos_token_id);
  return {.prompt = g.constant_i32(std::move(prompt), {1, kPromptCapacity}),
          .prompt_length = g.constant_i32({length}),
          .max_length = g.constant_i32({defaults.max_length})};
}

}  // namespace whisper_s4y
