#include "runtime/decoder_weights.h"

#include <fmt/format.h>

#include "checkpoint/layout.h"

namespace whisper_s4y {

std::shared_ptr<const DecoderWeights> decoder_weights(const WeightReader& reader,
                                                      const ModelConfig& config) {
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
  weights->exact = weights->logits.is_exact() && weights->layers.front().fc1.is_exact();
  return weights;
}

}  // namespace whisper_s4y
