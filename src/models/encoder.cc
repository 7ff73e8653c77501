#include "models/encoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "config/sinusoids.h"
#include "graph/ops.h"

namespace whisper_s4y {
namespace {

/// [1, t, d] -> [1, heads, t, d / heads].
Value split_heads(Graph& g, Value x, int heads) {
  const Shape shape = g.shape(x);
  return transpose(g, reshape(g, x, {1, shape[1], heads, shape[2] / heads}), {0, 2, 1, 3});
}

Value self_attention(Graph& g, Weights& weights, Value x, const std::string& layer) {
  const Scope scope(g, "self_attn");
  const std::string prefix = layer + ".self_attn";
  const int heads = weights.config().encoder_attention_heads;
  const Shape shape = g.shape(x);
  const int head_size = shape[2] / heads;
  const float scale = 1.0F / std::sqrt(static_cast<float>(head_size));
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

/// padded f32[1, frames + 2, c] -> f32[1, frames / stride, 3 * c]: what the kernel of three taps
/// sees at once.
Value neighbours(Graph& g, Value padded, int stride) {
  const Shape shape = g.shape(padded);
  const int inputs = shape[2];
  const int rows = (shape[1] - 2) / stride;
  if (stride == 1) {
    std::vector<Value> taps;
    for (int tap = 0; tap < 3; ++tap) {
      taps.push_back(slice(g, padded, {0, tap, 0}, {1, rows, inputs}));
    }
    return concat(g, taps, 2);
  }
  const Value pairs = reshape(g, padded, {1, shape[1] / 2, 2 * inputs});
  return concat(g,
                {slice(g, pairs, {0, 0, 0}, {1, rows, 2 * inputs}),
                 slice(g, pairs, {0, 1, 0}, {1, rows, inputs})},
                2);
}

/// x f32[1, frames, c] -> f32[1, frames / stride, d]; a kernel of integers is a matrix.
Value convolution(Graph& g, Weights& weights, Value x, std::string_view name, int stride) {
  const Scope scope(g, name);
  const std::string prefix = fmt::format("encoder.{}", name);
  const Value padded = pad(g, x, {{0, 0}, {1, 1}, {0, 0}});
  const WeightFormat format = weights.recipe().format_of_convolution(prefix);
  if (has_integers(format)) {
    return gelu(g, weights.kernel_product(g, neighbours(g, padded, stride), prefix));
  }
  const Shape shape = g.shape(padded);
  const Value kernel = weights.table(g, conv_kernel(weights.rows(prefix + ".weight")), format);
  // Along the width of an image of height 1.
  const Value image = reshape(g, padded, {1, 1, shape[1], shape[2]});
  const Value y = conv_2d(g, image, kernel, weights.vector(g, prefix + ".bias"), 1, stride, false);
  const Shape result = g.shape(y);
  return gelu(g, reshape(g, y, {1, result[2], result[3]}));
}

constexpr int kFinePositions = 50;  // divides the 1500 positions of all models

bool are_sinusoids(const RowSource& table) {
  constexpr float kRounding = 1e-3F;  // more than that of float16
  const auto width = static_cast<int>(table.row_size());
  if (table.rows() % kFinePositions != 0 || width % 2 != 0 || width < 4) return false;
  return std::ranges::equal(all_numbers(table), sinusoids(static_cast<int>(table.rows()), width),
                            [&](float a, float b) { return std::abs(a - b) < kRounding; });
}

/// The positions as f32[1, positions, width], of t = coarse + fine by the sums of angles: 80 rows
/// are stored instead of 1500.
Value computed_positions(Graph& g, int positions, int width) {
  const int half = width / 2;
  const int blocks = positions / kFinePositions;
  const std::vector<float> table = sinusoids(positions, width);
  const auto stored = [&](std::string_view name, int rows, int step, int column, Shape shape) {
    std::vector<float> numbers;
    for (int row = 0; row < rows; ++row) {
      const auto from = table.begin() + static_cast<ptrdiff_t>(row) * step * width + column;
      numbers.insert(numbers.end(), from, from + half);
    }
    return g.constant(rows_of(fmt::format("encoder.embed_positions.weight.{}", name),
                              std::move(shape), std::move(numbers)));
  };
  const Shape coarse{blocks, 1, half};
  const Shape fine{1, kFinePositions, half};
  const Value coarse_sin = stored("coarse_sines", blocks, kFinePositions, 0, coarse);
  const Value coarse_cos = stored("coarse_cosines", blocks, kFinePositions, half, coarse);
  const Value fine_sin = stored("fine_sines", kFinePositions, 1, 0, fine);
  const Value fine_cos = stored("fine_cosines", kFinePositions, 1, half, fine);
  const Value cos_sin = mul(g, coarse_cos, fine_sin);
  const Value sines = add(g, mul(g, coarse_sin, fine_cos), cos_sin);
  const Value sin_sin = mul(g, coarse_sin, fine_sin);
  const Value cosines = sub(g, mul(g, coarse_cos, fine_cos), sin_sin);
  return reshape(g, concat(g, {sines, cosines}, 2), {1, positions, width});
}

Value positions(Graph& g, Weights& weights) {
  const Scope scope(g, "embed_positions");
  const ModelConfig& config = weights.config();
  const Rows table = weights.rows("encoder.embed_positions.weight");
  if (weights.recipe().is_small() && are_sinusoids(*table)) {
    weights.compute(table->name());
    return computed_positions(g, config.max_source_positions, config.d_model);
  }
  return weights.table(g, reshaped(table, {1, config.max_source_positions, config.d_model}),
                       weights.recipe().encoder);
}

}  // namespace

Value encoder(Graph& g, Weights& weights, Value input_features) {
  const ModelConfig& config = weights.config();
  Value x = transpose(g, input_features, {0, 2, 1});
  x = convolution(g, weights, x, "conv1", 1);
  x = convolution(g, weights, x, "conv2", 2);
  x = add(g, x, positions(g, weights));
  for (int i = 0; i < config.encoder_layers; ++i) {
    const Scope scope(g, fmt::format("layers.{}", i));
    const std::string layer = fmt::format("encoder.layers.{}", i);
    x = add(g, x,
            self_attention(g, weights, weights.layer_norm(g, x, layer + ".self_attn_layer_norm"),
                           layer));
    x = add(g, x, mlp(g, weights, weights.layer_norm(g, x, layer + ".final_layer_norm"), layer));
  }
  return weights.layer_norm(g, x, "encoder.layer_norm");
}

}  // namespace whisper_s4y
