#include "formats/hf_config.h"

#include "checkpoint/json_file.h"
#include "checkpoint/side_file.h"
#include "common/fail.h"
#include "config/front_end.h"
#include "vocabulary/generation_fields.h"

namespace whisper_s4y {
namespace {

void check_architecture(const JsonFile& file) {
  const auto refuse = [&](const char* field, std::string_view found, std::string_view expected) {
    fail("{}: {} is {}, expected {}.", file.source(), field, found, expected);
  };
  const std::string type = file.string("model_type").value_or("whisper");
  if (type != "whisper") refuse("model_type", type, "whisper");
  const std::string activation = file.string("activation_function").value_or("gelu");
  if (activation != "gelu") refuse("activation_function", activation, "gelu");
  if (file.boolean("scale_embedding").value_or(false)) refuse("scale_embedding", "true", "false");
}

ModelConfig read_dimensions(const JsonFile& file) {
  ModelConfig c;
  c.vocab_size = file.required_integer("vocab_size");
  c.d_model = file.required_integer("d_model");
  c.encoder_layers = file.required_integer("encoder_layers");
  c.encoder_attention_heads = file.required_integer("encoder_attention_heads");
  c.encoder_ffn_dim = file.required_integer("encoder_ffn_dim");
  c.decoder_layers = file.required_integer("decoder_layers");
  c.decoder_attention_heads = file.required_integer("decoder_attention_heads");
  c.decoder_ffn_dim = file.required_integer("decoder_ffn_dim");
  // WhisperConfig's defaults; every Whisper before large-v3 has them.
  c.num_mel_bins = file.integer("num_mel_bins").value_or(80);
  c.max_source_positions = file.integer("max_source_positions").value_or(kWindowPositions);
  c.max_target_positions = file.integer("max_target_positions").value_or(448);
  return c;
}

void read_generation(const JsonFile& file, HfConfig& hf, Warnings& warnings) {
  const GenerationFields fields(file, hf.config, warnings);
  GenerationConfig& g = hf.generation;
  fields.first_token_id("eos_token_id", g.eos_token_id);  // of a list the first is Whisper's
  fields.token_id("decoder_start_token_id", g.decoder_start_token_id);
  fields.token_id("no_timestamps_token_id", g.no_timestamps_token_id);
  fields.token_id("prev_sot_token_id", g.prev_sot_token_id);
  fields.count("max_initial_timestamp_index", g.max_initial_timestamp_index);
  fields.token_ids("suppress_tokens", g.suppress_tokens);
  fields.token_ids("begin_suppress_tokens", g.begin_suppress_tokens);
  fields.heads("alignment_heads", g.alignment_heads);
  fields.boolean("is_multilingual", hf.is_multilingual);
  fields.languages("lang_to_id", g.lang_to_id);
  fields.tasks("task_to_id", g);
}

}  // namespace

HfConfig read_hf_config(const std::filesystem::path& folder, Warnings& warnings) {
  const auto path = find_side_file(folder, "config.json");
  if (!path) {
    fail("{} has no config.json; a Hugging Face model is the whole folder.", folder.string());
  }
  const JsonFile config(*path);
  check_architecture(config);
  HfConfig hf;
  hf.config = read_dimensions(config);
  validate_dimensions(hf.config, config.source());
  read_generation(config, hf, warnings);
  std::optional<bool> tied;
  GenerationFields(config, hf.config, warnings).boolean("tie_word_embeddings", tied);
  hf.tied = tied.value_or(true);
  read_optional(warnings, "The file is ignored.", [&] {
    if (const auto generation = find_side_file(folder, "generation_config.json")) {
      read_generation(JsonFile(*generation), hf, warnings);
    }
  });
  return hf;
}

}  // namespace whisper_s4y
