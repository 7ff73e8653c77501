// The text decoder as a graph, one piece for every signature that advances it.
#pragma once

#include <vector>

#include "models/weights.h"

namespace whisper_s4y {

/// How new keys and values get into the caches: by DYNAMIC_UPDATE_SLICE, which writes in place
/// where a cache is bound to input and output, or by products with zeros and ones over the whole
/// cache, for GPU delegates that do not know that op. The numbers are the same.
enum class CacheUpdate { slice, blend };

/// Keys and values of all layers. e = d_model / heads, h = heads, T = max_source_positions,
/// S = cache positions, B = hypotheses.
struct DecoderCache {
  std::vector<Value> self_k;   // f32[B, h, S, e]
  std::vector<Value> self_v;   // f32[B, h, e, S]
  std::vector<Value> cross_k;  // f32[1, h, T, e]
  std::vector<Value> cross_v;  // f32[1, h, e, T]
  // The loop in the graph keeps the positions before `base` apart, so that self_k and self_v, which
  // it copies at every turn, are short: they hold the positions from `base` on.
  std::vector<Value> older_k;  // f32[1, h, P, e]; empty: there are none
  std::vector<Value> older_v;  // f32[1, h, e, P]
  Value base;                  // i32[1]
  CacheUpdate update = CacheUpdate::slice;
};

/// last_hidden_state f32[1, T, d_model] -> cross_k and cross_v of every layer.
void cross_attention_cache(Graph& g, Weights& weights, Value last_hidden_state,
                           DecoderCache& cache);

/// What a pass through the decoder leaves for others to use.
struct DecoderPass {
  Value hidden;                     // f32[1, rows, d_model], after the last norm
  std::vector<Value> cross_scores;  // per layer f32[1, h, rows, T], before the softmax
};

/// Feeds one sequence: tokens i32[n] at positions position, position + 1, ... (i32[1]); the cache
/// has one hypothesis and is replaced by the updated one.
DecoderPass decode_sequence(Graph& g, Weights& weights, Value tokens, Value position,
                            DecoderCache& cache);

/// Feeds one token to each of B hypotheses: tokens i32[B] at the same position i32[1].
DecoderPass decode_hypotheses(Graph& g, Weights& weights, Value tokens, Value position,
                              DecoderCache& cache);

}  // namespace whisper_s4y
