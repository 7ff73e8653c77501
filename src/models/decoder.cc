#include "models/decoder.h"

#include <fmt/format.h>

#include <cmath>
#include <numeric>

#include "graph/ops.h"

namespace whisper_s4y {
namespace {

// Added to scores of positions that must not be seen, times the distance. Finite, because a
// softmax over nothing but -inf is NaN, and in float16 too, in which GPUs compute: 0 * inf is NaN.
constexpr float kMaskPerPosition = 3e4F;

float attention_scale(const ModelConfig& config) {
  const int head_size = config.d_model / config.decoder_attention_heads;
  return 1.0F / std::sqrt(static_cast<float>(head_size));
}

/// 0, 1, 2 ... as a constant of this shape.
Value counting(Graph& g, std::string_view name, int count, Shape shape) {
  std::vector<float> numbers(static_cast<size_t>(count));
  std::iota(numbers.begin(), numbers.end(), 0.0F);
  return g.constant(
      rows_of(fmt::format("{}_{}", name, count), std::move(shape), std::move(numbers)));
}

/// f32[1, 1, rows, positions]: 0 where column <= last_visible + row, hugely negative after it.
Value causal_mask(Graph& g, Value last_visible, int rows, int positions) {
  const Scope scope(g, "mask");
  Value last = cast(g, last_visible, DType::f32);
  if (rows > 1) last = add(g, counting(g, "rows", rows, {1, 1, rows, 1}), last);
  const Value ahead = sub(g, last, counting(g, "columns", positions, {1, 1, 1, positions}));
  const Value per_position = g.constant(kMaskPerPosition);
  return mul(g, minimum(g, ahead, g.constant(0.0F)), per_position);
}

// A single query row multiplies by MUL and SUM, because BATCH_MATMUL would rearrange the whole
// cache at every call.

/// q f32[b, h, 1, e], k f32[b, h, s, e] -> f32[b, h, 1, s].
Value scores_of_row(Graph& g, Value q, Value k) {
  const Shape& shape = g.shape(k);
  const Shape row{shape[0], shape[1], 1, shape[2]};
  return reshape(g, sum(g, mul(g, k, q), {-1}, false), row);
}

/// probabilities f32[b, h, 1, s], v f32[b, h, e, s] -> f32[b, h, e].
Value mix_of_row(Graph& g, Value probabilities, Value v) {
  return sum(g, mul(g, v, probabilities), {-1}, false);
}

/// CacheUpdate::blend: what the caches and the new rows are multiplied by, zeros and ones.
struct Blend {
  Value kept_keys;    // f32[1, 1, S, 1], 0 where new rows go
  Value kept_values;  // f32[1, 1, 1, S]
  Value places;       // f32[1, S, rows], 1 where row i goes

  Blend() = default;
  Blend(Graph& g, Value start, int rows, int positions) {
    const Scope scope(g, "blend");
    Value place = cast(g, start, DType::f32);
    if (rows > 1) place = add(g, counting(g, "rows", rows, {1, 1, rows}), place);
    const Value away = sub(g, counting(g, "positions", positions, {1, positions, 1}), place);
    const Value one = g.constant(1.0F);
    const Value elsewhere = minimum(g, square(g, away), one);
    places = sub(g, one, elsewhere);
    const Value kept = rows > 1 ? sub(g, one, sum(g, places, {-1})) : elsewhere;
    kept_keys = reshape(g, kept, {1, 1, positions, 1});
    kept_values = reshape(g, kept, {1, 1, 1, positions});
  }
};

/// Where the rows of a pass go in the cache and what they see of it.
struct Placement {
  Value start;  // i32[1], position in self_k and self_v
  CacheUpdate update = CacheUpdate::slice;
  Blend blend;           // where that is how the cache is updated
  Value mask;            // f32[1, 1, rows, positions of self_k]
  Value older_mask;      // f32[1, 1, 1, positions of older_k], if there are older positions
  bool sequence = true;  // successive positions of one hypothesis, or one position of several
};

class Layer {
 public:
  Layer(Graph& g, Weights& weights, int index)
      : g_(g),
        weights_(weights),
        config_(weights.config()),
        prefix_(fmt::format("decoder.layers.{}", index)),
        index_(static_cast<size_t>(index)) {}

  /// Self-attention over the cache, which gains the rows of x.
  Value self_attention(Value x, const Placement& place, DecoderCache& cache) {
    const Scope scope(g_, "self_attn");
    const std::string prefix = prefix_ + ".self_attn";
    const int rows = g_.shape(x)[1];
    const int heads = config_.decoder_attention_heads;
    const int e = config_.d_model / heads;
    const Value q = weights_.linear(g_, x, prefix + ".q_proj", attention_scale(config_));
    const Value k = weights_.linear(g_, x, prefix + ".k_proj");
    const Value v = weights_.linear(g_, x, prefix + ".v_proj");
    const Value& cache_k = cache.self_k[index_];
    const Value& cache_v = cache.self_v[index_];
    if (place.update == CacheUpdate::blend) {
      blend(k, v, place, cache);
    } else {
      write(k, v, place, cache);
    }
    Value mixed;
    if (place.sequence && rows > 1) {
      const Value queries = transpose(g_, reshape(g_, q, {1, rows, heads, e}), {0, 2, 1, 3});
      const Value scores = add(g_, batch_matmul(g_, queries, cache_k, false, true), place.mask);
      mixed =
          transpose(g_, batch_matmul(g_, softmax(g_, scores), cache_v, false, true), {0, 2, 1, 3});
    } else {
      const Value query = reshape(g_, q, {rows, heads, 1, e});
      const Value scores = add(g_, scores_of_row(g_, query, cache_k), place.mask);
      mixed = cache.older_k.empty() ? mix_of_row(g_, softmax(g_, scores), cache_v)
                                    : mix_with_older(query, scores, place.older_mask, cache);
    }
    return weights_.linear(g_, reshape(g_, mixed, {1, rows, config_.d_model}),
                           prefix + ".out_proj");
  }

  /// Attention to the encoded audio; `scores` receives what goes into the softmax.
  Value cross_attention(Value x, const DecoderCache& cache, Value& scores) {
    const Scope scope(g_, "encoder_attn");
    const std::string prefix = prefix_ + ".encoder_attn";
    const int rows = g_.shape(x)[1];
    const int heads = config_.decoder_attention_heads;
    const int e = config_.d_model / heads;
    const Value q = weights_.linear(g_, x, prefix + ".q_proj", attention_scale(config_));
    const Value k = cache.cross_k[index_];
    const Value v = cache.cross_v[index_];
    Value mixed;
    if (rows > 1) {
      const Value queries = transpose(g_, reshape(g_, q, {1, rows, heads, e}), {0, 2, 1, 3});
      scores = batch_matmul(g_, queries, k, false, true);
      mixed = transpose(g_, batch_matmul(g_, softmax(g_, scores), v, false, true), {0, 2, 1, 3});
    } else {
      scores = scores_of_row(g_, reshape(g_, q, {1, heads, 1, e}), k);
      mixed = mix_of_row(g_, softmax(g_, scores), v);
    }
    return weights_.linear(g_, reshape(g_, mixed, {1, rows, config_.d_model}),
                           prefix + ".out_proj");
  }

  Value mlp(Value x) {
    return weights_.linear(g_, gelu(g_, weights_.linear(g_, x, prefix_ + ".fc1")),
                           prefix_ + ".fc2");
  }

  Value norm(Value x, std::string_view which) {
    return weights_.layer_norm(g_, x, fmt::format("{}.{}", prefix_, which));
  }

 private:
  /// k and v f32[1, rows, d_model] into the cache.
  void write(Value k, Value v, const Placement& place, DecoderCache& cache) {
    const Scope scope(g_, "cache");
    const Shape cache_shape = g_.shape(cache.self_k[index_]);
    const int heads = cache_shape[1];
    const int e = cache_shape[3];
    const int rows = g_.shape(k)[1];
    const Value zero = g_.constant_i32({0});
    const Value k_start = concat(g_, {zero, zero, place.start, zero}, 0);
    const Value v_start = concat(g_, {zero, zero, zero, place.start}, 0);
    Value k_rows;
    Value v_rows;
    if (place.sequence && rows > 1) {
      const Shape by_head{1, rows, heads, e};
      k_rows = transpose(g_, reshape(g_, k, by_head), {0, 2, 1, 3});
      v_rows = transpose(g_, reshape(g_, v, by_head), {0, 2, 3, 1});
    } else {
      k_rows = reshape(g_, k, {rows, heads, 1, e});
      v_rows = reshape(g_, v, {rows, heads, e, 1});
    }
    cache.self_k[index_] = dynamic_update_slice(g_, cache.self_k[index_], k_rows, k_start);
    cache.self_v[index_] = dynamic_update_slice(g_, cache.self_v[index_], v_rows, v_start);
  }

  /// The same for CacheUpdate::blend.
  void blend(Value k, Value v, const Placement& place, DecoderCache& cache) {
    const Scope scope(g_, "cache");
    const Shape cache_shape = g_.shape(cache.self_k[index_]);
    const int hypotheses = cache_shape[0];
    const int rows = place.sequence ? g_.shape(k)[1] : 1;
    const Shape by_row{hypotheses, rows, config_.d_model};
    const Shape by_head{hypotheses, cache_shape[2], cache_shape[1], cache_shape[3]};
    // Every row at its position and zeros elsewhere, by a product with zeros and ones: delegates of
    // GPUs do not multiply a column by a row.
    const Value k_placed = batch_matmul(g_, place.blend.places, reshape(g_, k, by_row));
    const Value v_placed = batch_matmul(g_, place.blend.places, reshape(g_, v, by_row));
    const Value k_rows = transpose(g_, reshape(g_, k_placed, by_head), {0, 2, 1, 3});
    const Value v_rows = transpose(g_, reshape(g_, v_placed, by_head), {0, 2, 3, 1});
    const Value k_kept = mul(g_, cache.self_k[index_], place.blend.kept_keys);
    const Value v_kept = mul(g_, cache.self_v[index_], place.blend.kept_values);
    cache.self_k[index_] = add(g_, k_kept, k_rows);
    cache.self_v[index_] = add(g_, v_kept, v_rows);
  }

  /// One softmax over the older positions and those of the cache.
  Value mix_with_older(Value query, Value scores, Value older_mask, const DecoderCache& cache) {
    const Value older_k = cache.older_k[index_];
    const Value older = add(g_, scores_of_row(g_, query, older_k), older_mask);
    const Value both = softmax(g_, concat(g_, {older, scores}, 3));
    const Shape older_shape = g_.shape(older);
    const Value older_part = slice(g_, both, {0, 0, 0, 0}, older_shape);
    const Value newer_part = slice(g_, both, {0, 0, 0, older_shape[3]}, g_.shape(scores));
    const Value newer_mix = mix_of_row(g_, newer_part, cache.self_v[index_]);
    return add(g_, mix_of_row(g_, older_part, cache.older_v[index_]), newer_mix);
  }

  Graph& g_;
  Weights& weights_;
  const ModelConfig& config_;
  std::string prefix_;
  size_t index_;
};

/// tokens i32[n] at positions i32[n], or all at i32[1] -> f32[n, d_model].
Value embed(Graph& g, Weights& weights, Value tokens, Value positions) {
  Value rows;
  {
    const Scope scope(g, "embed_positions");
    // Beside integers they are float32, since delegates of GPUs gather nothing else, unless the
    // file must be small.
    const WeightRecipe& recipe = weights.recipe();
    const bool is_half = recipe.decoder == WeightFormat::f16 || recipe.is_small();
    const Value table = weights.table(g, weights.rows("decoder.embed_positions.weight"),
                                      is_half ? WeightFormat::f16 : WeightFormat::f32);
    rows = gather(g, table, positions);
  }
  return add(g, weights.embed(g, tokens), rows);
}

/// x f32[1, rows, d_model] through all layers.
DecoderPass run_layers(Graph& g, Weights& weights, Value x, const Placement& place,
                       DecoderCache& cache) {
  DecoderPass pass;
  for (int i = 0; i < weights.config().decoder_layers; ++i) {
    const Scope scope(g, fmt::format("layers.{}", i));
    Layer layer(g, weights, i);
    Value scores;
    x = add(g, x, layer.self_attention(layer.norm(x, "self_attn_layer_norm"), place, cache));
    x = add(g, x, layer.cross_attention(layer.norm(x, "encoder_attn_layer_norm"), cache, scores));
    x = add(g, x, layer.mlp(layer.norm(x, "final_layer_norm")));
    pass.cross_scores.push_back(scores);
  }
  pass.hidden = weights.layer_norm(g, x, "decoder.layer_norm");
  return pass;
}

}  // namespace

void cross_attention_cache(Graph& g, Weights& weights, Value last_hidden_state,
                           DecoderCache& cache) {
  const ModelConfig& config = weights.config();
  const int heads = config.decoder_attention_heads;
  const Shape by_head{1, config.max_source_positions, heads, config.d_model / heads};
  for (int i = 0; i < config.decoder_layers; ++i) {
    const Scope layer(g, fmt::format("layers.{}", i));
    const Scope attention(g, "encoder_attn");
    const std::string prefix = fmt::format("decoder.layers.{}.encoder_attn", i);
    const Value k = weights.linear(g, last_hidden_state, prefix + ".k_proj");
    const Value v = weights.linear(g, last_hidden_state, prefix + ".v_proj");
    cache.cross_k.push_back(transpose(g, reshape(g, k, by_head), {0, 2, 1, 3}));
    cache.cross_v.push_back(transpose(g, reshape(g, v, by_head), {0, 2, 3, 1}));
  }
}

DecoderPass decode_sequence(Graph& g, Weights& weights, Value tokens, Value position,
                            DecoderCache& cache) {
  const int rows = g.shape(tokens)[0];
  std::vector<int32_t> offsets(static_cast<size_t>(rows));
  std::iota(offsets.begin(), offsets.end(), 0);
  const Value positions =
      rows == 1 ? position : add(g, g.constant_i32(std::move(offsets)), position);
  const Value embedded = embed(g, weights, tokens, positions);
  Placement place{.start = position, .update = cache.update};
  if (!cache.older_k.empty()) {
    place.start = sub(g, position, cache.base);
    place.older_mask =
        causal_mask(g, sub(g, cache.base, g.constant_i32({1})), 1, g.shape(cache.older_k[0])[2]);
  }
  const int room = g.shape(cache.self_k.at(0))[2];
  place.mask = causal_mask(g, place.start, rows, room);
  if (place.update == CacheUpdate::blend) place.blend = Blend(g, place.start, rows, room);
  return run_layers(g, weights, reshape(g, embedded, {1, rows, weights.config().d_model}), place,
                    cache);
}

DecoderPass decode_hypotheses(Graph& g, Weights& weights, Value tokens, Value position,
                              DecoderCache& cache) {
  const int rows = g.shape(tokens)[0];
  const Value embedded = embed(g, weights, tokens, position);
  const int room = g.shape(cache.self_k.at(0))[2];
  Placement place{.start = position,
                  .update = cache.update,
                  .mask = causal_mask(g, position, 1, room),
                  .sequence = false};
  if (place.update == CacheUpdate::blend) place.blend = Blend(g, position, 1, room);
  return run_layers(g, weights, reshape(g, embedded, {1, rows, weights.config().d_model}), place,
                    cache);
}

}  // namespace whisper_s4y
