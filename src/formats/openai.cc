// .pt files of openai/whisper: dimensions and a state dict, no tokenizer.
#include <algorithm>
#include <array>

#include "checkpoint/layout.h"
#include "common/fail.h"
#include "formats/formats.h"
#include "formats/openai_names.h"
#include "formats/torch_file.h"
#include "vocabulary/generation.h"
#include "vocabulary/standard_vocabulary.h"

namespace whisper_s4y {
namespace {

int dimension(const TorchFile& file, const std::string& source, std::string_view name) {
  const auto found = std::ranges::find(file.dims, name, [](const auto& dim) { return dim.first; });
  if (found == file.dims.end()) fail("{}: dims has no {}.", source, name);
  if (found->second < 1 || found->second > INT32_MAX) {
    fail("{}: {} of dims is {}.", source, name, found->second);
  }
  return static_cast<int>(found->second);
}

// openai/whisper model.py: ModelDimensions. The MLP is four times as wide as the model.
ModelConfig read_dimensions(const TorchFile& file, const std::string& source) {
  ModelConfig c;
  c.vocab_size = dimension(file, source, "n_vocab");
  c.num_mel_bins = dimension(file, source, "n_mels");
  c.d_model = dimension(file, source, "n_audio_state");
  c.encoder_layers = dimension(file, source, "n_audio_layer");
  c.encoder_attention_heads = dimension(file, source, "n_audio_head");
  c.decoder_layers = dimension(file, source, "n_text_layer");
  c.decoder_attention_heads = dimension(file, source, "n_text_head");
  c.max_source_positions = dimension(file, source, "n_audio_ctx");
  c.max_target_positions = dimension(file, source, "n_text_ctx");
  if (const int text = dimension(file, source, "n_text_state"); text != c.d_model) {
    fail("{}: n_audio_state {} and n_text_state {} of dims differ.", source, c.d_model, text);
  }
  if (c.d_model > INT32_MAX / 4) fail("{}: n_audio_state of dims is {}.", source, c.d_model);
  c.encoder_ffn_dim = 4 * c.d_model;
  c.decoder_ffn_dim = 4 * c.d_model;
  return c;
}

}  // namespace

std::unique_ptr<Checkpoint> open_openai(const std::filesystem::path& path, TorchFile file) {
  const std::string source = path.string();
  auto checkpoint = std::make_unique<Checkpoint>();
  checkpoint->format = "openai";
  checkpoint->path = path;
  ModelInfo& info = checkpoint->info;
  info.config = read_dimensions(file, source);
  validate_dimensions(info.config, source);
  add_openai_tensors(std::move(file.tensors), *checkpoint);
  check_tensors(*checkpoint);
  info.vocabulary = standard_vocabulary(info.config.vocab_size, source);
  complete_generation(info, std::nullopt, path);
  validate(info, source);
  return checkpoint;
}

}  // namespace whisper_s4y
