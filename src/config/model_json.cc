// ModelConfig and GenerationConfig as JSON, the form kept in the .tflite metadata.
#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>

#include "common/fail.h"
#include "common/parse_json.h"
#include "config/model_info.h"

namespace whisper_s4y {
namespace {

using Json = nlohmann::ordered_json;

// The one list of fields: writing and reading walk over it, so they cannot differ.
template <typename Visitor, typename Config>
void visit_config(Visitor&& visit, Config& c) {
  visit("vocab_size", c.vocab_size);
  visit("num_mel_bins", c.num_mel_bins);
  visit("d_model", c.d_model);
  visit("encoder_layers", c.encoder_layers);
  visit("encoder_attention_heads", c.encoder_attention_heads);
  visit("encoder_ffn_dim", c.encoder_ffn_dim);
  visit("decoder_layers", c.decoder_layers);
  visit("decoder_attention_heads", c.decoder_attention_heads);
  visit("decoder_ffn_dim", c.decoder_ffn_dim);
  visit("max_source_positions", c.max_source_positions);
  visit("max_target_positions", c.max_target_positions);
}

template <typename Visitor, typename Generation>
void visit_generation(Visitor&& visit, Generation& g) {
  visit("is_multilingual", g.is_multilingual);
  visit("eos_token_id", g.eos_token_id);
  visit("decoder_start_token_id", g.decoder_start_token_id);
  visit("translate_token_id", g.translate_token_id);
  visit("transcribe_token_id", g.transcribe_token_id);
  visit("sot_lm_token_id", g.sot_lm_token_id);
  visit("prev_sot_token_id", g.prev_sot_token_id);
  visit("no_speech_token_id", g.no_speech_token_id);
  visit("no_timestamps_token_id", g.no_timestamps_token_id);
  visit("max_initial_timestamp_index", g.max_initial_timestamp_index);
  visit("lang_to_id", g.lang_to_id);
  visit("suppress_tokens", g.suppress_tokens);
  visit("begin_suppress_tokens", g.begin_suppress_tokens);
  visit("alignment_heads", g.alignment_heads);
}

class Writer {
 public:
  explicit Writer(Json& json) : json_(json) {}

  void operator()(const char* name, bool value) { json_[name] = value; }
  void operator()(const char* name, int value) { json_[name] = value; }
  void operator()(const char* name, const std::vector<int>& ids) { json_[name] = ids; }
  void operator()(const char* name, const std::vector<std::pair<std::string, int>>& languages) {
    Json object = Json::object();
    for (const auto& [code, id] : languages) object[code] = id;
    json_[name] = std::move(object);
  }
  void operator()(const char* name, const std::vector<std::pair<int, int>>& heads) {
    Json array = Json::array();
    for (const auto& [layer, head] : heads) array.push_back(Json::array({layer, head}));
    json_[name] = std::move(array);
  }

 private:
  Json& json_;
};

class Reader {
 public:
  Reader(const Json& json, std::string_view source) : json_(json), source_(source) {}

  void operator()(const char* name, bool& value) {
    const Json& found = field(name);
    if (!found.is_boolean()) expected(name, "true or false");
    value = found.get<bool>();
  }
  void operator()(const char* name, int& value) { value = integer(name, field(name)); }
  void operator()(const char* name, std::vector<int>& ids) {
    const Json& found = field(name);
    if (!found.is_array()) expected(name, "a list of numbers");
    ids.clear();
    for (const Json& id : found) ids.push_back(integer(name, id));
  }
  void operator()(const char* name, std::vector<std::pair<std::string, int>>& languages) {
    const Json& found = field(name);
    if (!found.is_object()) expected(name, "an object");
    languages.clear();
    for (const auto& [code, id] : found.items()) languages.emplace_back(code, integer(name, id));
    std::ranges::stable_sort(languages, {}, &std::pair<std::string, int>::second);
  }
  void operator()(const char* name, std::vector<std::pair<int, int>>& heads) {
    const Json& found = field(name);
    if (!found.is_array()) expected(name, "a list of pairs");
    heads.clear();
    for (const Json& pair : found) {
      if (!pair.is_array() || pair.size() != 2) expected(name, "a list of pairs");
      heads.emplace_back(integer(name, pair[0]), integer(name, pair[1]));
    }
  }

 private:
  [[noreturn]] void expected(const char* name, std::string_view what) const {
    fail("{}: the field {} is not {}.", source_, name, what);
  }
  const Json& field(const char* name) const {
    const auto found = json_.find(name);
    if (found == json_.end()) fail("{}: the field {} is missing.", source_, name);
    return *found;
  }
  int integer(const char* name, const Json& value) const {
    if (!value.is_number_integer()) expected(name, "a whole number");
    // Numbers above 2^63 would wrap around to negative ones.
    const bool huge = value.is_number_unsigned() && value.get<uint64_t>() > INT32_MAX;
    const int64_t number = huge ? INT64_MAX : value.get<int64_t>();
    if (number < INT32_MIN || number > INT32_MAX) expected(name, "a 32-bit number");
    return static_cast<int>(number);
  }

  const Json& json_;
  std::string_view source_;
};

}  // namespace

std::string to_json(const ModelConfig& config, const GenerationConfig& generation) {
  Json json = Json::object();
  visit_config(Writer(json), config);
  visit_generation(Writer(json), generation);
  return json.dump();
}

void from_json(std::string_view text, std::string_view source, ModelConfig& config,
               GenerationConfig& generation) {
  const Json json = parse_json_object<Json>(text, source);
  visit_config(Reader(json, source), config);
  visit_generation(Reader(json, source), generation);
}

}  // namespace whisper_s4y
