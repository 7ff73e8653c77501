// The decoder's weights as a bundle stores them, for the kernels that read them there.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "config/model_info.h"
#include "kernels/products.h"
#include "tflite/reader.h"

namespace whisper_s4y {

/// A matrix [outputs, inputs] with its bias.
struct LinearWeights {
  std::vector<StoredMatrix> parts;  // one after the other they are all rows
  std::vector<float> bias;          // empty: none
  size_t outputs = 0;
  size_t inputs = 0;
};

struct NormWeights {
  std::vector<float> gain;
  std::vector<float> bias;
};

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

/// Finds them. Throws Error when the file does not say where a weight is, or stores one in a way
/// that the kernels do not know.
[[nodiscard]] std::shared_ptr<const DecoderWeights> decoder_weights(
    std::shared_ptr<const TfliteFile> file, const ModelConfig& config);

}  // namespace whisper_s4y
