// The encoder's weights as a bundle stores them, and those that make keys and values for the
// decoder of what it gives.
#pragma once

#include <memory>
#include <vector>

#include "runtime/weight_reader.h"

namespace whisper_s4y {

struct EncoderLayerWeights {
  NormWeights attention_norm, mlp_norm;
  LinearWeights q, k, v, out;
  LinearWeights fc1, fc2;
};

/// What a layer of the decoder attends to.
struct CrossWeights {
  LinearWeights k, v;
};

/// Never changes; views into the file, which outlives it.
struct EncoderWeights {
  ModelConfig config;
  LinearWeights conv1, conv2;  // [d_model, 3 * inputs]
  TensorView positions;        // [max_source_positions, d_model]
  std::vector<EncoderLayerWeights> layers;
  NormWeights norm;
  std::vector<CrossWeights> cross;  // by layer of the decoder
  bool exact = false;               // all matrices are float32
};

/// Throws Error, see WeightReader.
[[nodiscard]] std::shared_ptr<const EncoderWeights> encoder_weights(const WeightReader& reader,
                                                                    const ModelConfig& config);

}  // namespace whisper_s4y
