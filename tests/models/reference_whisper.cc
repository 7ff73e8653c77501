#include "models/reference_whisper.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace whisper_s4y::testing {
namespace {

class Reference {
 public:
  explicit Reference(const Checkpoint& checkpoint)
      : checkpoint_(checkpoint), config_(checkpoint.info.config) {}

  Matrix encode(const Matrix& mel) const {
    Matrix frames(mel.columns, mel.rows);
    for (int r = 0; r < mel.rows; ++r) {
      for (int c = 0; c < mel.columns; ++c) frames.at(c, r) = mel.at(r, c);
    }
    Matrix x = conv(conv(frames, "encoder.conv1", 1), "encoder.conv2", 2);
    x = sum(x, tensor("encoder.embed_positions.weight"));
    for (int i = 0; i < config_.encoder_layers; ++i) {
      const std::string layer = fmt::format("encoder.layers.{}", i);
      const Matrix y = norm(x, layer + ".self_attn_layer_norm");
      x = sum(x, attention(y, y, layer + ".self_attn", config_.encoder_attention_heads, false));
      x = sum(x, mlp(norm(x, layer + ".final_layer_norm"), layer));
    }
    return norm(x, "encoder.layer_norm");
  }

  ReferencePass decode(const Matrix& hidden, std::span<const int> tokens) const {
    ReferencePass pass;
    const Matrix embedding = tensor("decoder.embed_tokens.weight");
    const Matrix positions = tensor("decoder.embed_positions.weight");
    Matrix x(static_cast<int>(tokens.size()), config_.d_model);
    for (int r = 0; r < x.rows; ++r) {
      for (int c = 0; c < x.columns; ++c) {
        x.at(r, c) = embedding.at(tokens[static_cast<size_t>(r)], c) + positions.at(r, c);
      }
    }
    for (int i = 0; i < config_.decoder_layers; ++i) {
      const std::string layer = fmt::format("decoder.layers.{}", i);
      const int heads = config_.decoder_attention_heads;
      const Matrix y = norm(x, layer + ".self_attn_layer_norm");
      x = sum(x, attention(y, y, layer + ".self_attn", heads, true));
      x = sum(
          x, attention(norm(x, layer + ".encoder_attn_layer_norm"), hidden, layer + ".encoder_attn",
                       heads, false, &pass.cross_scores.emplace_back()));
      x = sum(x, mlp(norm(x, layer + ".final_layer_norm"), layer));
    }
    pass.logits = times_transposed(norm(x, "decoder.layer_norm"), embedding);
    return pass;
  }

 private:
  [[nodiscard]] Matrix tensor(const std::string& name) const {
    const TensorView& view = checkpoint_.tensor(name);
    std::vector<float> numbers(static_cast<size_t>(view.elements()));
    view.read_rows(0, view.rows(), numbers);
    const bool vector = view.shape.size() == 1;
    Matrix m(vector ? 1 : static_cast<int>(view.rows()),
             static_cast<int>(vector ? view.rows() : view.row_size()));
    std::copy(numbers.begin(), numbers.end(), m.numbers.begin());
    return m;
  }

  static Matrix sum(const Matrix& a, const Matrix& b) {
    Matrix m = a;
    for (size_t i = 0; i < m.numbers.size(); ++i) m.numbers[i] += b.numbers.at(i);
    return m;
  }

  static Matrix times_transposed(const Matrix& a, const Matrix& b) {
    Matrix m(a.rows, b.rows);
    for (int r = 0; r < a.rows; ++r) {
      for (int c = 0; c < b.rows; ++c) {
        double total = 0;
        for (int k = 0; k < a.columns; ++k) total += a.at(r, k) * b.at(c, k);
        m.at(r, c) = total;
      }
    }
    return m;
  }

  [[nodiscard]] Matrix linear(const Matrix& x, const std::string& prefix) const {
    Matrix m = times_transposed(x, tensor(prefix + ".weight"));
    if (!checkpoint_.has(prefix + ".bias")) return m;
    const Matrix bias = tensor(prefix + ".bias");
    for (int r = 0; r < m.rows; ++r) {
      for (int c = 0; c < m.columns; ++c) m.at(r, c) += bias.at(0, c);
    }
    return m;
  }

  static double gelu(double x) { return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0))); }

  [[nodiscard]] Matrix mlp(const Matrix& x, const std::string& layer) const {
    Matrix m = linear(x, layer + ".fc1");
    for (double& number : m.numbers) number = gelu(number);
    return linear(m, layer + ".fc2");
  }

  [[nodiscard]] Matrix norm(const Matrix& x, const std::string& prefix) const {
    const Matrix weight = tensor(prefix + ".weight");
    const Matrix bias = tensor(prefix + ".bias");
    Matrix m = x;
    for (int r = 0; r < x.rows; ++r) {
      double mean = 0;
      double variance = 0;
      for (int c = 0; c < x.columns; ++c) mean += x.at(r, c) / x.columns;
      for (int c = 0; c < x.columns; ++c) {
        variance += (x.at(r, c) - mean) * (x.at(r, c) - mean) / x.columns;
      }
      for (int c = 0; c < x.columns; ++c) {
        m.at(r, c) =
            (x.at(r, c) - mean) / std::sqrt(variance + 1e-5) * weight.at(0, c) + bias.at(0, c);
      }
    }
    return m;
  }

  /// x [frames, in], kernel 3, padding 1, then gelu.
  [[nodiscard]] Matrix conv(const Matrix& x, const std::string& prefix, int stride) const {
    const Matrix kernel = tensor(prefix + ".weight");  // [out, in * 3]
    const Matrix bias = tensor(prefix + ".bias");
    Matrix m(x.rows / stride, kernel.rows);
    for (int r = 0; r < m.rows; ++r) {
      for (int out = 0; out < m.columns; ++out) {
        double total = bias.at(0, out);
        for (int tap = 0; tap < 3; ++tap) {
          const int from = r * stride + tap - 1;
          if (from < 0 || from >= x.rows) continue;
          for (int in = 0; in < x.columns; ++in) {
            total += x.at(from, in) * kernel.at(out, in * 3 + tap);
          }
        }
        m.at(r, out) = gelu(total);
      }
    }
    return m;
  }

  /// `scores`, if given, receives what goes into the softmax, a matrix per head.
  [[nodiscard]] Matrix attention(const Matrix& x, const Matrix& source, const std::string& prefix,
                                 int heads, bool causal,
                                 std::vector<Matrix>* scores = nullptr) const {
    const Matrix q = linear(x, prefix + ".q_proj");
    const Matrix k = linear(source, prefix + ".k_proj");
    const Matrix v = linear(source, prefix + ".v_proj");
    const int e = q.columns / heads;
    Matrix mixed(q.rows, q.columns);
    std::vector<double> weights;
    for (int head = 0; head < heads; ++head) {
      if (scores != nullptr) scores->emplace_back(q.rows, k.rows);
      for (int r = 0; r < q.rows; ++r) {
        const int seen = causal ? r + 1 : k.rows;
        weights.assign(static_cast<size_t>(seen), 0.0);
        double highest = -1e300;
        for (int s = 0; s < seen; ++s) {
          double& weight = weights[static_cast<size_t>(s)];
          for (int i = head * e; i < (head + 1) * e; ++i) weight += q.at(r, i) * k.at(s, i);
          weight /= std::sqrt(static_cast<double>(e));
          highest = std::max(highest, weight);
          if (scores != nullptr) scores->back().at(r, s) = weight;
        }
        double total = 0;
        for (double& weight : weights) total += weight = std::exp(weight - highest);
        for (int s = 0; s < seen; ++s) {
          for (int i = head * e; i < (head + 1) * e; ++i) {
            mixed.at(r, i) += weights[static_cast<size_t>(s)] / total * v.at(s, i);
          }
        }
      }
    }
    return linear(mixed, prefix + ".out_proj");
  }

  const Checkpoint& checkpoint_;
  const ModelConfig& config_;
};

}  // namespace

Matrix reference_encode(const Checkpoint& checkpoint, const Matrix& input_features) {
  return Reference(checkpoint).encode(input_features);
}

ReferencePass reference_decode(const Checkpoint& checkpoint, const Matrix& last_hidden_state,
                               std::span<const int> tokens) {
  return Reference(checkpoint).decode(last_hidden_state, tokens);
}

}  // namespace whisper_s4y::testing
