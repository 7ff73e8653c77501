// The decoder's weights as a bundle stores them, for the kernels that read them there.
#pragma once

#include <memory>
#include <vector>

#include "runtime/weight_reader.h"

namespace whisper_s4y {

struct DecoderLayerWeights {
  NormWeights self_norm, cross_norm, mlp_norm;
  LinearWeights q, k, v, out;  // of self-attention
  LinearWeights cross_q, cross_out;
  LinearWeights fc1, fc2;
};

/// Never changes; views into the file, which it keeps open.
struct DecoderWeights {
  ModelConfig config;
  TensorView embedding;  // [vocab_size, d_model]
  TensorView positions;  // [max_target_positions, d_model]
  std::vector<DecoderLayerWeights> layers;
  NormWeights norm;
  LinearWeights logits;  // [vocab_size, d_model]
  bool exact = false;    // all matrices are float32
};

/// Throws Error, see WeightReader.
[[nodiscard]] std::shared_ptr<const DecoderWeights> decoder_weights(const WeightReader& reader,
                                                                    const ModelConfig& config);

}  // namespace whisper_s4y
