#include "runtime/encoder_weights.h"

#include <fmt/format.h>

namespace whisper_s4y {

std::shared_ptr<const EncoderWeights> encoder_weights(const WeightReader& reader,
                                                      const ModelConfig& config) {
  auto weights = std::make_shared<EncoderWeights>();
  weights->config = config;
  weights->conv1 = reader.convolution("encoder.conv1");
  weights->conv2 = reader.convolution("encoder.conv2");
  weights->positions = reader.tensor("encoder.embed_positions.weight");
  weights->exact = weights->conv1.is_exact() && weights->conv2.is_exact();
  for (int i = 0; i < config.encoder_layers; ++i) {
    const std::string layer = fmt::format("encoder.layers.{}.", i);
    const std::string attention = layer + "self_attn.";
    const EncoderLayerWeights& made = weights->layers.emplace_back(
        EncoderLayerWeights{.attention_norm = reader.norm(layer + "self_attn_layer_norm"),
                            .mlp_norm = reader.norm(layer + "final_layer_norm"),
                            .q = reader.linear(attention + "q_proj"),
                            .k = reader.linear(attention + "k_proj"),
                            .v = reader.linear(attention + "v_proj"),
                            .out = reader.linear(attention + "out_proj"),
                            .fc1 = reader.linear(layer + "fc1"),
                            .fc2 = reader.linear(layer + "fc2")});
    for (const LinearWeights* linear :
         {&made.q, &made.k, &made.v, &made.out, &made.fc1, &made.fc2}) {
      weights->exact = weights->exact && linear->is_exact();
    }
  }
  weights->norm = reader.norm("encoder.layer_norm");
  for (int i = 0; i < config.decoder_layers; ++i) {
    const std::string cross = fmt::format("decoder.layers.{}.encoder_attn.", i);
    weights->cross.push_back(
        {.k = reader.linear(cross + "k_proj"), .v = reader.linear(cross + "v_proj")});
  }
  return weights;
}

}  // namespace whisper_s4y
