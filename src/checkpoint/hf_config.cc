#include "checkpoint/hf_config.h"

#include <algorithm>

#include "checkpoint/json_file.h"
#include "checkpoint/side_file.h"
#include "checkpoint/vocabulary_builder.h"

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
  c.max_source_positions = file.integer("max_source_positions").value_or(1500);
  c.max_target_positions = file.integer("max_target_positions").value_or(448);
  return c;
}

// eos_token_id may be a list, of which the first is Whisper's.
std::optional<int> read_eos(const JsonFile& file) {
  const nlohmann::json* value = file.find("eos_token_id");
  if (value == nullptr || !value->is_array()) return file.integer("eos_token_id");
  const std::vector<int> ids = file.integers("eos_token_id");
  return ids.empty() ? std::nullopt : std::optional(ids[0]);
}

void read_languages(const JsonFile& file, GenerationConfig& g) {
  const nlohmann::json* languages = file.find("lang_to_id");
  if (languages == nullptr) return;
  if (!languages->is_object()) file.expected("lang_to_id", "an object");
  g.lang_to_id.clear();
  for (const auto& [token, id] : languages->items()) {
    const std::string code =
        has_special_form(token) ? token.substr(2, token.size() - 4) : token;  // "<|en|>"
    g.lang_to_id.emplace_back(code, file.to_int("lang_to_id", id));
  }
  std::ranges::sort(g.lang_to_id, {}, &std::pair<std::string, int>::second);
}

void read_tasks(const JsonFile& file, GenerationConfig& g) {
  const nlohmann::json* tasks = file.find("task_to_id");
  if (tasks == nullptr) return;
  if (!tasks->is_object()) file.expected("task_to_id", "an object");
  for (const auto& [task, id] : tasks->items()) {
    if (task == "transcribe") g.transcribe_token_id = file.to_int("task_to_id", id);
    if (task == "translate") g.translate_token_id = file.to_int("task_to_id", id);
  }
}

void read_generation(const JsonFile& file, HfConfig& hf) {
  GenerationConfig& g = hf.generation;
  const auto take = [&](int& field, std::optional<int> value) { field = value.value_or(field); };
  const auto take_list = [](auto& field, auto value) {
    if (!value.empty()) field = std::move(value);
  };
  take(g.eos_token_id, read_eos(file));
  take(g.decoder_start_token_id, file.integer("decoder_start_token_id"));
  take(g.no_timestamps_token_id, file.integer("no_timestamps_token_id"));
  take(g.prev_sot_token_id, file.integer("prev_sot_token_id"));
  take(g.max_initial_timestamp_index, file.integer("max_initial_timestamp_index"));
  take_list(g.suppress_tokens, file.integers("suppress_tokens"));
  take_list(g.begin_suppress_tokens, file.integers("begin_suppress_tokens"));
  take_list(g.alignment_heads, file.pairs("alignment_heads"));
  if (const auto value = file.boolean("is_multilingual")) hf.is_multilingual = value;
  read_languages(file, g);
  read_tasks(file, g);
}

}  // namespace

HfConfig read_hf_config(const std::filesystem::path& folder) {
  const auto path = find_side_file(folder, "config.json");
  if (!path) {
    fail("{} has no config.json; a Hugging Face model is the whole folder.", folder.string());
  }
  const JsonFile config(*path);
  check_architecture(config);
  HfConfig hf;
  hf.config = read_dimensions(config);
  read_generation(config, hf);
  if (const auto generation = find_side_file(folder, "generation_config.json")) {
    read_generation(JsonFile(*generation), hf);
  }
  return hf;
}

}  // namespace whisper_s4y
