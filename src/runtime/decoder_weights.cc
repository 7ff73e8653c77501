#include "runtime/decoder_weights.h"

#include <fmt/format.h>

#include <map>
#include <string_view>
#include <utility>

#include "checkpoint/layout.h"
#include "common/fail.h"
#include "formats/tflite_tensors.h"

namespace whisper_s4y {
namespace {

class Reader {
 public:
  Reader(std::shared_ptr<const TfliteFile> file, const ModelConfig& config)
      : source_(file->path().string()), tensors_(tensors_of_decoder(std::move(file), config)) {}

  [[nodiscard]] bool has(std::string_view name) const { return tensors_.contains(name); }

  [[nodiscard]] const TensorView& tensor(std::string_view name) const {
    const auto found = tensors_.find(name);
    if (found == tensors_.end())
      fail(ErrorCode::invalid_file, "{} has no weight {}.", source_, name);
    return found->second;
  }

  [[nodiscard]] std::vector<float> vector(const std::string& name) const {
    const TensorView& view = tensor(name);
    std::vector<float> numbers(static_cast<size_t>(view.elements()));
    view.read_rows(0, view.rows(), numbers);
    return numbers;
  }

  [[nodiscard]] NormWeights norm(const std::string& prefix) const {
    return {.gain = vector(prefix + ".weight"), .bias = vector(prefix + ".bias")};
  }

  [[nodiscard]] LinearWeights matrix(std::string_view name) const {
    const TensorView& view = tensor(name);
    LinearWeights linear{.outputs = static_cast<size_t>(view.rows()),
                         .inputs = static_cast<size_t>(view.row_size())};
    if (view.parts.empty()) {
      linear.parts.push_back(stored(view));
    } else {
      for (const TensorView& part : view.parts) linear.parts.push_back(stored(part));
    }
    return linear;
  }

  [[nodiscard]] LinearWeights linear(const std::string& prefix) const {
    LinearWeights linear = matrix(prefix + ".weight");
    if (has(prefix + ".bias")) linear.bias = vector(prefix + ".bias");
    return linear;
  }

 private:
  [[nodiscard]] WeightKind kind_of(const TensorView& view) const {
    switch (view.type) {
      case StorageType::f32:
        return WeightKind::f32;
      case StorageType::f16:
        return WeightKind::f16;
      case StorageType::i8:
        return WeightKind::i8;
      case StorageType::i4:
        if (view.block_scales.size() * kScaledBlock ==
            static_cast<size_t>(view.elements()) * sizeof(uint16_t)) {
          return WeightKind::i4;
        }
        break;
      default:
        break;
    }
    fail(ErrorCode::unsupported, "{} stores the weight {} in a way that only LiteRT computes with.",
         source_, view.name);
  }

  [[nodiscard]] StoredMatrix stored(const TensorView& view) const {
    return {.kind = kind_of(view),
            .rows = static_cast<size_t>(view.rows()),
            .columns = static_cast<size_t>(view.row_size()),
            .bytes = view.bytes.data(),
            .row_scales = view.row_scales,
            .block_scales = view.block_scales.data(),
            .column_factors = view.column_factors};
  }

  std::string source_;
  std::map<std::string, TensorView, std::less<>> tensors_;
};

bool all_exact(const LinearWeights& linear) {
  for (const StoredMatrix& part : linear.parts) {
    if (part.kind != WeightKind::f32) return false;
  }
  return true;
}

}  // namespace

std::shared_ptr<const DecoderWeights> decoder_weights(std::shared_ptr<const TfliteFile> file,
                                                      const ModelConfig& config) {
  const Reader reader(std::move(file), config);
  auto weights = std::make_shared<DecoderWeights>();
  weights->config = config;
  weights->embedding = reader.tensor(kTokenEmbedding);
  weights->positions = reader.tensor("decoder.embed_positions.weight");
  for (int i = 0; i < config.decoder_layers; ++i) {
    const std::string layer = fmt::format("decoder.layers.{}.", i);
    const std::string self = layer + "self_attn.";
    const std::string cross = layer + "encoder_attn.";
    weights->layers.push_back({.self_norm = reader.norm(layer + "self_attn_layer_norm"),
                               .cross_norm = reader.norm(layer + "encoder_attn_layer_norm"),
                               .mlp_norm = reader.norm(layer + "final_layer_norm"),
                               .q = reader.linear(self + "q_proj"),
                               .k = reader.linear(self + "k_proj"),
                               .v = reader.linear(self + "v_proj"),
                               .out = reader.linear(self + "out_proj"),
                               .cross_q = reader.linear(cross + "q_proj"),
                               .cross_out = reader.linear(cross + "out_proj"),
                               .fc1 = reader.linear(layer + "fc1"),
                               .fc2 = reader.linear(layer + "fc2")});
  }
  weights->norm = reader.norm("decoder.layer_norm");
  weights->logits = reader.matrix(reader.has(kOutputMatrix) ? kOutputMatrix : kTokenEmbedding);
  weights->exact = all_exact(weights->logits) && all_exact(weights->layers.front().fc1);
  return weights;
}

}  // namespace whisper_s4y
