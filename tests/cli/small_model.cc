#include "cli/small_model.h"

#include <memory>
#include <span>
#include <vector>

#include "export/export_checkpoint.h"
#include "formats/tiny_checkpoint.h"
#include "models/random_checkpoint.h"
#include "models/write_bundle.h"

namespace whisper_s4y {
namespace {

/// Weights for real windows of 30 s with the vocabulary of a model that reads and writes text.
Checkpoint small() {
  const Checkpoint tiny = tiny_checkpoint();
  ModelConfig config = testing::small_config();
  config.vocab_size = tiny.info.config.vocab_size;
  config.encoder_ffn_dim = config.decoder_ffn_dim = 4 * config.d_model;  // as ggml has it
  Checkpoint checkpoint = testing::random_checkpoint(config);
  const auto heads = checkpoint.info.generation.alignment_heads;
  checkpoint.info.vocabulary = tiny.info.vocabulary;
  checkpoint.info.generation = tiny.info.generation;
  checkpoint.info.generation.alignment_heads = heads;
  return checkpoint;
}

}  // namespace

std::string small_checkpoint() {
  static const TemporaryFolder folder;
  static const bool made = (export_checkpoint(small(), folder.path(), "safetensors"), true);
  return made ? folder.path().string() : "";
}

std::string overflowing_checkpoint() {
  static const TemporaryFolder folder;
  static const bool made = [] {
    Checkpoint checkpoint = small();
    TensorView& weights = checkpoint.tensors.at("decoder.layer_norm.weight");
    const std::vector<float> large(static_cast<size_t>(weights.elements()), 3e38F);
    const auto bytes = std::as_bytes(std::span(large));
    weights.copy = std::make_shared<std::vector<std::byte>>(bytes.begin(), bytes.end());
    weights.bytes = *weights.copy;
    export_checkpoint(checkpoint, folder.path(), "safetensors");
    return true;
  }();
  return made ? folder.path().string() : "";
}

std::string small_model() {
  static const TemporaryFolder folder;
  static const bool made = (write_bundle(small(), folder / "small.tflite"), true);
  return made ? folder.file("small.tflite") : "";
}

}  // namespace whisper_s4y
