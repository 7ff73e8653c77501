#include "models/encoder.h"

#include <fmt/format.h>

#include <cmath>

#include "graph/ops.h"

namespace whisper_s4y {
namespace {

/// [1, t, d] -> [1, heads, t, d / heads].
Value split_heads(Graph& g, Value x, int heads) {
  const Shape shape = g.shape(x);
  return transpose(g, reshape(g, x, {1, shape[1], heads, shape[2] / heads}), {0, 2, 1, 3});
}

Value self_attention(Graph& g, Weights& weights, Value x, const std::string& prefix) {
  const int heads = weights.config().encoder_attention_heads;
  const Shape shape = g.shape(x);
  const float scale = 1.0F / std::sqrt(static_cast<float>(shape[2] / heads));
  const Value q = split_heads(g, weights.linear(g, x, prefix + ".q_proj", scale), heads);
  const Value k = split_heads(g, weights.linear(g, x, prefix + ".k_proj"), heads);
  const Value v = split_heads(g, weights.linear(g, x, prefix + ".v_proj"), heads);
  const Value attention = softmax(g, batch_matmul(g, q, k, false, true));
  const Value mixed = transpose(g, batch_matmul(g, attention, v), {0, 2, 1, 3});
  return weights.linear(g, reshape(g, mixed, shape), prefix + ".out_proj");
}

Value mlp(Graph& g, Weights& weights, Value x, const std::string& layer) {
  return weights.linear(g, gelu(g, weights.linear(g, x, layer + ".fc1")), layer + ".fc2");
}

/// Both convolutions run along the width of an image of height 1.
Value convolution(Graph& g, Weights& weights, Value x, const std::string& prefix, int stride) {
  const Value kernel =
      weights.table(g, conv_kernel(weights.rows(prefix + ".weight")), weights.recipe().encoder);
  const Value padded = pad(g, x, {{0, 0}, {0, 0}, {1, 1}, {0, 0}});
  return gelu(g, conv_2d(g, padded, kernel, weights.vector(g, prefix + ".bias"), 1, stride, false));
}

}  // namespace

Value encoder(Graph& g, Weights& weights, Value input_features) {
  const ModelConfig& config = weights.config();
  const int frames = 2 * config.max_source_positions;
  Value x = transpose(g, input_features, {0, 2, 1});
  x = reshape(g, x, {1, 1, frames, config.num_mel_bins});
  x = convolution(g, weights, x, "encoder.conv1", 1);
  x = convolution(g, weights, x, "encoder.conv2", 2);
  x = reshape(g, x, {1, config.max_source_positions, config.d_model});
  const Rows positions = reshaped(weights.rows("encoder.embed_positions.weight"),
                                  {1, config.max_source_positions, config.d_model});
  x = add(g, x, weights.table(g, positions, weights.recipe().encoder));
  for (int i = 0; i < config.encoder_layers; ++i) {
    const std::string layer = fmt::format("encoder.layers.{}", i);
    x = add(g, x,
            self_attention(g, weights, weights.layer_norm(g, x, layer + ".self_attn_layer_norm"),
                           layer + ".self_attn"));
    x = add(g, x, mlp(g, weights, weights.layer_norm(g, x, layer + ".final_layer_norm"), layer));
  }
  return weights.layer_norm(g, x, "encoder.layer_norm");
}

}  // namespace whisper_s4y
