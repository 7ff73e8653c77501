#include "models/graph_logit_rules.h"

#include <fmt/format.h>

#include <numeric>

#include "graph/ops.h"

namespace whisper_s4y {
namespace {

// Finite, so that nothing becomes NaN; far below any logit.
constexpr float kForbidden = -1e9F;

Value flag(Graph& g, Value boolean) { return cast(g, boolean, DType::i32); }

/// 0 -> 0, 1 -> hugely negative, as f32[1, 1].
Value forbidden_if(Graph& g, Value flag) {
  const Value forbidden = g.constant(kForbidden);
  return reshape(g, mul(g, cast(g, flag, DType::f32), forbidden), {1, 1});
}

/// f32[1, size]: 1 at these tokens, 0 elsewhere; a byte each in the file.
Value token_mask(Graph& g, std::string name, int size, const std::vector<int>& tokens) {
  std::vector<int8_t> mask(static_cast<size_t>(size), 0);
  for (const int id : tokens) {
    if (id >= 0 && id < size) mask[static_cast<size_t>(id)] = 1;
  }
  const Value stored = g.constant(std::move(name), DType::i8, {1, size},
                                  bytes_constant(std::as_bytes(std::span<const int8_t>(mask))));
  return cast(g, stored, DType::f32);
}

/// f32[1, n] -> log of the sum of exponentials, f32[1, 1].
Value log_sum_exp(Graph& g, Value x) {
  const Value highest = reduce_max(g, x, {-1});
  return add(g, highest, log(g, sum(g, exp(g, sub(g, x, highest)), {-1})));
}

Value not_flag(Graph& g, Value flag) { return sub(g, g.constant_i32({1}), flag); }

}  // namespace

Value next_token(Graph& g, const ModelConfig& config, const GenerationConfig& generation,
                 Value logits, Value timestamps, const SampledState& state) {
  const Scope scope(g, "rules");
  const int text_size = generation.timestamp_begin();
  const int timestamp_size = config.vocab_size - text_size;
  const Value first = flag(g, equal(g, state.count, g.constant_i32({0})));
  const Value any_before = flag(g, greater(g, state.last_timestamp, g.constant_i32({-1})));

  // SuppressTokens, SuppressBlank.
  Value text = slice(g, logits, {0, 0}, {1, text_size});
  const auto forbid = [&](Value factor, std::string name, const std::vector<int>& tokens) {
    const Value mask = token_mask(g, std::move(name), text_size, tokens);
    text = add(g, text, mul(g, mask, factor));
  };
  forbid(g.constant(kForbidden), "suppress_tokens", generation.suppress_tokens);
  forbid(forbidden_if(g, first), "begin_suppress_tokens", generation.begin_suppress_tokens);

  // ApplyTimestampRules, text: no <|notimestamps|>; after an opening timestamp's partner only
  // <|endoftext|> or another timestamp; nothing but a timestamp at first.
  const Value single =
      mul(g, timestamps, mul(g, state.last_is_timestamp, not_flag(g, state.before_is_timestamp)));
  std::vector<int> below_end(static_cast<size_t>(generation.eos_token_id));
  std::iota(below_end.begin(), below_end.end(), 0);
  forbid(forbidden_if(g, single), "below_endoftext", below_end);
  forbid(forbidden_if(g, timestamps), "no_timestamps", {generation.no_timestamps_token_id});

  // Timestamps: none after a pair; never back in time; at first at most max_initial_timestamp.
  std::vector<float> indices(static_cast<size_t>(timestamp_size));
  std::iota(indices.begin(), indices.end(), 0.0F);
  const Value index =
      g.constant(rows_of("timestamp_indices", {1, timestamp_size}, std::move(indices)));
  const auto factor = [&](Value flag) { return reshape(g, cast(g, flag, DType::f32), {1, 1}); };
  const Value pair = mul(g, timestamps, mul(g, state.last_is_timestamp, state.before_is_timestamp));
  const Value after_last = add(g, state.last_timestamp, not_flag(g, single));
  const Value lowest = mul(g, mul(g, timestamps, any_before), after_last);
  const Value latest = g.constant_i32({generation.max_initial_timestamp_index});
  const Value everything = g.constant_i32({timestamp_size});
  const Value at_first = mul(g, timestamps, first);
  const Value later = mul(g, not_flag(g, at_first), everything);
  const Value highest = add(g, mul(g, at_first, latest), later);
  const auto below_zero = [&](Value x) {
    const Value huge = g.constant(-kForbidden);
    return mul(g, minimum(g, x, g.constant(0.0F)), huge);
  };
  Value times = slice(g, logits, {0, text_size}, {1, timestamp_size});
  times = add(g, times, below_zero(sub(g, index, factor(lowest))));
  times = add(g, times, below_zero(sub(g, factor(highest), index)));
  times = add(g, times, forbidden_if(g, pair));

  // A timestamp if all of them together are likelier than the likeliest text.
  const Value best_text = reduce_max(g, text, {-1});
  const Value together = greater(g, log_sum_exp(g, times), best_text);
  const Value is_first = greater(g, first, g.constant_i32({0}));
  const Value may_be_only_one = logical_or(g, reshape(g, together, {1}), is_first);
  const Value must = logical_and(g, greater(g, timestamps, g.constant_i32({0})), may_be_only_one);
  const Value alone = reshape(g, greater(g, reduce_max(g, times, {-1}), best_text), {1});
  const Value first_time = g.constant_i32({text_size});
  const Value time_token = add(g, arg_max(g, times), first_time);
  const Value text_token = arg_max(g, text);
  return select(g, logical_or(g, must, alone), time_token, text_token);
}

Value most_likely_language(Graph& g, const GenerationConfig& generation, Value logits) {
  const Scope scope(g, "language");
  std::vector<int32_t> ids;
  for (const auto& [code, id] : generation.lang_to_id) ids.push_back(id);
  const Value languages = g.constant_i32(std::move(ids));
  return gather(g, languages, arg_max(g, gather(g, logits, languages, 1)));
}

SampledState after_token(Graph& g, const GenerationConfig& generation, Value token,
                         const SampledState& state) {
  const Value begin = g.constant_i32({generation.timestamp_begin()});
  const Value is_timestamp = flag(g, greater_equal(g, token, begin));
  const Value one = g.constant_i32({1});
  SampledState next;
  next.count = add(g, state.count, one);
  next.last_is_timestamp = is_timestamp;
  // With a single token sampled there is none before it, which counts as a timestamp.
  const Value only = flag(g, equal(g, state.count, g.constant_i32({0})));
  next.before_is_timestamp = maximum(g, state.last_is_timestamp, only);
  const Value kept = mul(g, sub(g, one, is_timestamp), state.last_timestamp);
  next.last_timestamp = add(g, mul(g, is_timestamp, sub(g, token, begin)), kept);
  return next;
}

}  // namespace whisper_s4y
