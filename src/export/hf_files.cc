// The JSON files beside the weights of a Hugging Face model.
#include <nlohmann/json.hpp>

#include "checkpoint/layout.h"
#include "config/front_end.h"
#include "export/writers.h"
#include "vocabulary/byte_alphabet.h"
#include "vocabulary/merges.h"
#include "vocabulary/standard_vocabulary.h"

namespace whisper_s4y {
namespace {

using Json = nlohmann::ordered_json;

void write_json(const std::filesystem::path& path, const Json& json) {
  write_text(path, json.dump(2) + "\n");
}

// Adds an entry whose key is known to be new, without looking through all the others for it.
void append_new(Json& object, std::string key, Json value) {
  object.get_ref<Json::object_t&>().Json::object_t::Container::emplace_back(std::move(key),
                                                                            std::move(value));
}

Json pairs_to_json(const std::vector<std::pair<int, int>>& pairs) {
  Json list = Json::array();
  for (const auto& [first, second] : pairs) list.push_back(Json::array({first, second}));
  return list;
}

void write_config(const Checkpoint& checkpoint, StorageType type,
                  const std::filesystem::path& dir) {
  const ModelConfig& c = checkpoint.info.config;
  const GenerationConfig& g = checkpoint.info.generation;
  write_json(dir / "config.json",
             {{"architectures", Json::array({"WhisperForConditionalGeneration"})},
              {"model_type", "whisper"},
              {"is_encoder_decoder", true},
              {"activation_function", "gelu"},
              {"vocab_size", c.vocab_size},
              {"num_mel_bins", c.num_mel_bins},
              {"d_model", c.d_model},
              {"num_hidden_layers", c.encoder_layers},
              {"encoder_layers", c.encoder_layers},
              {"encoder_attention_heads", c.encoder_attention_heads},
              {"encoder_ffn_dim", c.encoder_ffn_dim},
              {"decoder_layers", c.decoder_layers},
              {"decoder_attention_heads", c.decoder_attention_heads},
              {"decoder_ffn_dim", c.decoder_ffn_dim},
              {"max_source_positions", c.max_source_positions},
              {"max_target_positions", c.max_target_positions},
              {"max_length", c.max_target_positions},
              {"scale_embedding", false},
              {"tie_word_embeddings", !checkpoint.has(kOutputMatrix)},
              {"use_cache", true},
              {"bos_token_id", g.eos_token_id},
              {"eos_token_id", g.eos_token_id},
              {"pad_token_id", g.eos_token_id},
              {"decoder_start_token_id", g.decoder_start_token_id},
              {"torch_dtype", name_of(type)}});
}

void write_generation_config(const ModelInfo& info, const std::filesystem::path& dir) {
  const GenerationConfig& g = info.generation;
  Json json = {{"alignment_heads", pairs_to_json(g.alignment_heads)},
               {"begin_suppress_tokens", g.begin_suppress_tokens},
               {"suppress_tokens", g.suppress_tokens},
               {"bos_token_id", g.eos_token_id},
               {"eos_token_id", g.eos_token_id},
               {"pad_token_id", g.eos_token_id},
               {"decoder_start_token_id", g.decoder_start_token_id},
               {"is_multilingual", g.is_multilingual},
               {"max_initial_timestamp_index", g.max_initial_timestamp_index},
               {"max_length", info.config.max_target_positions},
               {"no_timestamps_token_id", g.no_timestamps_token_id},
               {"return_timestamps", false}};
  if (g.prev_sot_token_id >= 0) json["prev_sot_token_id"] = g.prev_sot_token_id;
  if (g.is_multilingual) {
    for (const auto& [code, id] : g.lang_to_id) json["lang_to_id"]["<|" + code + "|>"] = id;
    json["task_to_id"]["transcribe"] = g.transcribe_token_id;
    if (g.translate_token_id >= 0) json["task_to_id"]["translate"] = g.translate_token_id;
  }
  write_json(dir / "generation_config.json", json);
}

std::vector<size_t> added_tokens(const ModelInfo& info) {
  std::vector<size_t> ids;
  for (size_t id = 0; id < info.vocabulary.tokens.size(); ++id) {
    if (is_added(info, id)) ids.push_back(id);
  }
  return ids;
}

// {"token": id} of the tokens that merges make. Of those without bytes, one can have a key.
Json text_tokens(const ModelInfo& info) {
  const Vocabulary& v = info.vocabulary;
  Json tokens = Json::object();
  for (size_t id = 0; id < v.tokens.size(); ++id) {
    const bool unnamed =
        v.tokens[id].empty() &&
        (id >= static_cast<size_t>(info.generation.eos_token_id) || tokens.contains(""));
    if (!is_added(info, id) && !unnamed) {
      append_new(tokens, encode_byte_alphabet(v.tokens[id]), id);
    }
  }
  return tokens;
}

// The `tokenizers` library knows an added token by its place: the first comes after the vocabulary,
// each other after the one before. Where ids do not follow each other so, the vocabulary must have
// the added tokens too: it gives them their ids then.
Json text_tokens_for_tokenizers(const ModelInfo& info) {
  Json tokens = text_tokens(info);
  const std::vector<size_t> added = added_tokens(info);
  bool follow = true;
  for (size_t i = 0; i < added.size(); ++i) follow = follow && added[i] == tokens.size() + i;
  if (follow) return tokens;
  for (const size_t id : added) append_new(tokens, info.vocabulary.tokens[id], id);
  return tokens;
}

bool is_timestamp(const ModelInfo& info, size_t id) {
  const auto first = static_cast<size_t>(info.generation.timestamp_begin());
  return id >= first && id < first + kTimestampTokens;
}

// As Hugging Face has it: timestamps are added tokens, but not special ones.
bool is_special(const ModelInfo& info, size_t id) {
  return info.vocabulary.special[id] != 0 && !is_timestamp(info, id);
}

void write_tokenizer_parts(const ModelInfo& info, const std::filesystem::path& dir) {
  const Vocabulary& v = info.vocabulary;
  write_text(dir / "vocab.json", text_tokens(info).dump());
  Json added = Json::object();
  Json additional = Json::array();
  for (const size_t id : added_tokens(info)) {
    append_new(added, v.tokens[id], id);
    if (is_special(info, id)) additional.push_back(v.tokens[id]);
  }
  write_json(dir / "added_tokens.json", added);
  std::string merges = "#version: 0.2\n";
  for (const auto& [left, right] : recover_merges(v)) {
    merges += encode_byte_alphabet(left) + " " + encode_byte_alphabet(right) + "\n";
  }
  write_text(dir / "merges.txt", merges);
  const std::string& end = v.tokens[static_cast<size_t>(info.generation.eos_token_id)];
  write_json(dir / "special_tokens_map.json", {{"additional_special_tokens", additional},
                                               {"bos_token", end},
                                               {"eos_token", end},
                                               {"pad_token", end},
                                               {"unk_token", end}});
  write_json(dir / "tokenizer_config.json", {{"add_prefix_space", false},
                                             {"bos_token", end},
                                             {"eos_token", end},
                                             {"pad_token", end},
                                             {"unk_token", end},
                                             {"errors", "replace"},
                                             {"processor_class", "WhisperProcessor"},
                                             {"tokenizer_class", "WhisperTokenizer"},
                                             {"model_max_length", 1024}});
}

// The tokens around a text: start and no timestamps before, end after it.
Json post_processor(const ModelInfo& info) {
  const Vocabulary& v = info.vocabulary;
  const GenerationConfig& g = info.generation;
  Json special = Json::object();
  const auto token = [&](int id, int type) -> Json {
    const std::string& name = v.tokens[static_cast<size_t>(id)];
    special[name] = {{"id", name}, {"ids", Json::array({id})}, {"tokens", Json::array({name})}};
    return {{"SpecialToken", {{"id", name}, {"type_id", type}}}};
  };
  const auto text = [](const char* name, int type) -> Json {
    return {{"Sequence", {{"id", name}, {"type_id", type}}}};
  };
  Json single = Json::array({token(g.decoder_start_token_id, 0), token(g.no_timestamps_token_id, 0),
                             text("A", 0), token(g.eos_token_id, 0)});
  Json pair = Json::array({token(g.decoder_start_token_id, 0), token(g.no_timestamps_token_id, 0),
                           text("A", 0), text("B", 1), token(g.eos_token_id, 1)});
  return {{"type", "TemplateProcessing"},
          {"single", std::move(single)},
          {"pair", std::move(pair)},
          {"special_tokens", std::move(special)}};
}

}  // namespace

bool is_added(const ModelInfo& info, size_t id) {
  const Vocabulary& v = info.vocabulary;
  const bool word = !v.tokens[id].empty() && v.ranks[id] < 0;
  return v.special[id] != 0 || (word && id >= static_cast<size_t>(info.generation.eos_token_id));
}

void write_preprocessor_config(const ModelInfo& info, const std::filesystem::path& dir) {
  write_json(dir / "preprocessor_config.json",
             {{"chunk_length", kWindowSeconds},
              {"feature_extractor_type", "WhisperFeatureExtractor"},
              {"feature_size", info.config.num_mel_bins},
              {"hop_length", kHopLength},
              {"n_fft", kFftSize},
              {"n_samples", kWindowSamples},
              {"nb_max_frames", kWindowFrames},
              {"padding_side", "right"},
              {"padding_value", 0.0},
              {"processor_class", "WhisperProcessor"},
              {"return_attention_mask", false},
              {"sampling_rate", kSampleRate}});
}

void write_tokenizer_json(const ModelInfo& info, const std::filesystem::path& dir) {
  const Vocabulary& v = info.vocabulary;
  Json added = Json::array();
  for (const size_t id : added_tokens(info)) {
    const bool special = is_special(info, id);
    added.push_back({{"id", id},
                     {"content", v.tokens[id]},
                     {"single_word", false},
                     {"lstrip", false},
                     {"rstrip", false},
                     {"normalized", !special},
                     {"special", special}});
  }
  Json merges = Json::array();
  for (const auto& [left, right] : recover_merges(v)) {
    merges.push_back(encode_byte_alphabet(left) + " " + encode_byte_alphabet(right));
  }
  const Json byte_level = {{"type", "ByteLevel"},
                           {"add_prefix_space", false},
                           {"trim_offsets", true},
                           {"use_regex", true}};
  const Json json = {{"version", "1.0"},
                     {"truncation", nullptr},
                     {"padding", nullptr},
                     {"added_tokens", std::move(added)},
                     {"normalizer", nullptr},
                     {"pre_tokenizer", byte_level},
                     {"post_processor", post_processor(info)},
                     {"decoder", byte_level},
                     {"model",
                      {{"type", "BPE"},
                       {"dropout", nullptr},
                       {"unk_token", nullptr},
                       {"continuing_subword_prefix", ""},
                       {"end_of_word_suffix", ""},
                       {"fuse_unk", false},
                       {"vocab", text_tokens_for_tokenizers(info)},
                       {"merges", std::move(merges)}}}};
  write_text(dir / "tokenizer.json", json.dump());
}

void write_hf_files(const Checkpoint& checkpoint, StorageType type,
                    const std::filesystem::path& dir) {
  const ModelInfo& info = checkpoint.info;
  write_config(checkpoint, type, dir);
  write_generation_config(info, dir);
  write_preprocessor_config(info, dir);
  write_tokenizer_parts(info, dir);
  write_tokenizer_json(info, dir);
}

}  // namespace whisper_s4y
