#include "models/decode_loop.h"

#include <fmt/format.h>

#include "common/fail.h"
#include "graph/ops.h"
#include "models/graph_logit_rules.h"

namespace whisper_s4y {
namespace {

constexpr int kBlockPositions = 32;

/// What the loops know. Which of it a loop carries and which it changes is said by fields().
struct LoopState {
  Value position;  // i32[1], where `token` goes
  Value token;     // i32[1], fed next
  Value tokens;    // i32[1, S], all tokens so far
  SampledState sampled;
  Value prompt;         // i32[1, kPromptCapacity]
  Value prompt_length;  // i32[1]
  Value max_length;     // i32[1]
  Value timestamps;     // i32[1], 1: the timestamp rules hold
  DecoderCache cache;
};

enum class Level { outer, inner };

struct Field {
  std::string name;
  Value* value;
  bool changes;  // the others pass through the loop, which costs nothing
};

/// In the order in which WHILE passes them.
std::vector<Field> fields(LoopState& state, Level level) {
  const bool inner = level == Level::inner;
  DecoderCache& cache = state.cache;
  std::vector<Field> all{
      {"position", &state.position, true},
      {"token", &state.token, true},
      {"tokens", &state.tokens, true},
      {"count", &state.sampled.count, true},
      {"last_is_timestamp", &state.sampled.last_is_timestamp, true},
      {"before_is_timestamp", &state.sampled.before_is_timestamp, true},
      {"last_timestamp", &state.sampled.last_timestamp, true},
      {"prompt", &state.prompt, false},
      {"prompt_length", &state.prompt_length, false},
      {"max_length", &state.max_length, false},
      {"timestamps", &state.timestamps, false},
      {"base", &cache.base, !inner},
  };
  const auto add_all = [&](std::string_view name, std::vector<Value>& values, bool changes) {
    for (size_t i = 0; i < values.size(); ++i) {
      all.push_back({fmt::format("{}_{}", name, i), &values[i], changes});
    }
  };
  if (inner) {
    add_all("self_k", cache.self_k, true);
    add_all("self_v", cache.self_v, true);
  }
  add_all("older_k", cache.older_k, !inner);
  add_all("older_v", cache.older_v, !inner);
  add_all("cross_k", cache.cross_k, false);
  add_all("cross_v", cache.cross_v, false);
  return all;
}

std::vector<Value> values_of(LoopState& state, Level level) {
  std::vector<Value> values;
  for (const Field& field : fields(state, level)) values.push_back(*field.value);
  return values;
}

/// The same state as inputs of a subgraph.
LoopState state_inputs(Graph& g, const Graph& outside, const LoopState& state, Level level) {
  LoopState inside = state;
  for (const Field& field : fields(inside, level)) {
    *field.value = g.input(field.name, outside.dtype(*field.value), outside.shape(*field.value));
  }
  return inside;
}

/// Runs a loop and takes over what it changes.
void run_loop(Graph& g, LoopState& state, Level level, const Graph& condition, const Graph& body) {
  const std::vector<Value> results = while_loop(g, values_of(state, level), condition, body);
  const std::vector<Field> all = fields(state, level);
  for (size_t i = 0; i < all.size(); ++i) {
    if (all[i].changes) *all[i].value = results[i];
  }
}

/// bool[1]: there is room for another token and the last one is not <|endoftext|>, unless it
/// belongs to the prompt.
Value wants_more(Graph& g, const LoopState& s, const GenerationConfig& generation) {
  const Value next = add(g, s.position, g.constant_i32({1}));
  const Value room = less(g, next, s.max_length);
  const Value in_prompt = less(g, next, s.prompt_length);
  const Value going = not_equal(g, s.token, g.constant_i32({generation.eos_token_id}));
  return logical_and(g, room, logical_or(g, in_prompt, going));
}

Graph& outer_condition(Graph& outside, const LoopState& state, const GenerationConfig& generation) {
  Graph& g = outside.module().add_graph("decode_continue");
  const LoopState s = state_inputs(g, outside, state, Level::outer);
  g.set_outputs({wants_more(g, s, generation)});
  return g;
}

Graph& inner_condition(Graph& outside, const LoopState& state, const GenerationConfig& generation) {
  Graph& g = outside.module().add_graph("decode_continue_block");
  const LoopState s = state_inputs(g, outside, state, Level::inner);
  const Value size = g.constant_i32({kBlockPositions});
  const Value in_block = less(g, sub(g, s.position, s.cache.base), size);
  g.set_outputs({logical_and(g, wants_more(g, s, generation), in_block)});
  return g;
}

/// Feeds one token and finds the next: from the prompt, from language detection or by the rules.
Graph& inner_body(Graph& outside, const LoopState& state, Weights& weights) {
  const ModelConfig& config = weights.config();
  const GenerationConfig& generation = weights.generation();
  Graph& g = outside.module().add_graph("decode_token");
  LoopState s = state_inputs(g, outside, state, Level::inner);
  const DecoderPass pass = decode_sequence(g, weights, s.token, s.position, s.cache);
  const Value logits = weights.logits(g, reshape(g, pass.hidden, {1, config.d_model}));
  const Value sampled = next_token(g, config, generation, logits, s.timestamps, s.sampled);

  const Value next = add(g, s.position, g.constant_i32({1}));
  const Value in_prompt = less(g, next, s.prompt_length);
  const Value last = g.constant_i32({kPromptCapacity - 1});
  const Value place = minimum(g, next, last);
  Value given = gather(g, reshape(g, s.prompt, {kPromptCapacity}), place);
  if (!generation.lang_to_id.empty()) {
    const Value language = most_likely_language(g, generation, logits);
    given = select(g, less(g, given, g.constant_i32({0})), language, given);
  }
  const SampledState after = after_token(g, generation, sampled, s.sampled);
  const auto unless_in_prompt = [&](Value& value, Value changed) {
    value = select(g, in_prompt, value, changed);
  };
  unless_in_prompt(s.sampled.count, after.count);
  unless_in_prompt(s.sampled.last_is_timestamp, after.last_is_timestamp);
  unless_in_prompt(s.sampled.before_is_timestamp, after.before_is_timestamp);
  unless_in_prompt(s.sampled.last_timestamp, after.last_timestamp);
  s.token = select(g, in_prompt, given, sampled);
  const Value column = concat(g, {g.constant_i32({0}), next}, 0);
  s.tokens = dynamic_update_slice(g, s.tokens, reshape(g, s.token, {1, 1}), column);
  s.position = next;
  g.set_outputs(values_of(s, Level::inner));
  return g;
}

/// A key or value cache of one layer with room for `positions`.
Shape key_shape(const ModelConfig& config, int positions) {
  const int heads = config.decoder_attention_heads;
  return {1, heads, positions, config.d_model / heads};
}

Shape value_shape(const ModelConfig& config, int positions) {
  const int heads = config.decoder_attention_heads;
  return {1, heads, config.d_model / heads, positions};
}

/// Runs the inner loop over one block of positions and moves it to the older ones.
Graph& outer_body(Graph& outside, const LoopState& state, Weights& weights) {
  const ModelConfig& config = weights.config();
  Graph& g = outside.module().add_graph("decode_block");
  LoopState s = state_inputs(g, outside, state, Level::outer);
  for (int i = 0; i < config.decoder_layers; ++i) {
    s.cache.self_k.push_back(fill(g, key_shape(config, kBlockPositions), 0.0F));
    s.cache.self_v.push_back(fill(g, value_shape(config, kBlockPositions), 0.0F));
  }
  const Graph& condition = inner_condition(g, s, weights.generation());
  const Graph& body = inner_body(g, s, weights);
  run_loop(g, s, Level::inner, condition, body);

  const Value zero = g.constant_i32({0});
  const Value k_start = concat(g, {zero, zero, s.cache.base, zero}, 0);
  const Value v_start = concat(g, {zero, zero, zero, s.cache.base}, 0);
  for (size_t i = 0; i < s.cache.self_k.size(); ++i) {
    Value& older_k = s.cache.older_k[i];
    Value& older_v = s.cache.older_v[i];
    older_k = dynamic_update_slice(g, older_k, s.cache.self_k[i], k_start);
    older_v = dynamic_update_slice(g, older_v, s.cache.self_v[i], v_start);
  }
  s.cache.base = add(g, s.cache.base, g.constant_i32({kBlockPositions}));
  g.set_outputs(values_of(s, Level::outer));
  return g;
}

}  // namespace

Value GreedyLoop::run(Graph& g, Value last_hidden_state, const LoopInputs& inputs) {
  const Scope scope(g, "decoder");
  const ModelConfig& config = weights_.config();
  const GenerationConfig& generation = weights_.generation();
  const int positions = config.max_target_positions;

  LoopState state;
  const Value zero = g.constant_i32({0});
  state.position = zero;
  const Value prompt = reshape(g, inputs.prompt, {kPromptCapacity});
  state.token = gather(g, prompt, zero);
  const Value start = g.constant_i32({0, 0});
  const Value first = reshape(g, state.token, {1, 1});
  const Value ends =
      g.constant_i32(std::vector<int32_t>(static_cast<size_t>(positions), generation.eos_token_id),
                     {1, positions});
  state.tokens = dynamic_update_slice(g, ends, first, start);
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
  // A whole number of blocks: DYNAMIC_UPDATE_SLICE would shift one that sticks out.
  const int capacity = (positions + kBlockPositions - 1) / kBlockPositions * kBlockPositions;
  for (int i = 0; i < config.decoder_layers; ++i) {
    state.cache.older_k.push_back(fill(g, key_shape(config, capacity), 0.0F));
    state.cache.older_v.push_back(fill(g, value_shape(config, capacity), 0.0F));
  }
  state.cache.base = zero;
  if (body_ == nullptr) {
    condition_ = &outer_condition(g, state, generation);
    body_ = &outer_body(g, state, weights_);
  }
  run_loop(g, state, Level::outer, *condition_, *body_);
  return state.tokens;
}

LoopInputs constant_inputs(Graph& g, const GenerationConfig& generation,
                           const PromptDefaults& defaults) {
  std::vector<int32_t> prompt{generation.decoder_start_token_id};
  if (generation.is_multilingual) {
    prompt.push_back(defaults.language_token);
    prompt.push_back(defaults.translate ? generation.translate_token_id
                                        : generation.transcribe_token_id);
  } else if (defaults.translate) {
    fail(ErrorCode::unsupported, "An English-only model cannot translate.");
  }
  if (!defaults.timestamps) prompt.push_back(generation.no_timestamps_token_id);
  const auto length = static_cast<int32_t>(prompt.size());
  prompt.resize(kPromptCapacity, generation.eos_token_id);
  return {.prompt = g.constant_i32(std::move(prompt), {1, kPromptCapacity}),
          .prompt_length = g.constant_i32({length}),
          .max_length = g.constant_i32({defaults.max_length})};
}

}  // namespace whisper_s4y
