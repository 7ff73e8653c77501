#include "vocabulary/generation.h"

#include <algorithm>
#include <bitset>
#include <string>
#include <string_view>

#include "common/fail.h"
#include "vocabulary/known_models.h"
#include "vocabulary/standard_vocabulary.h"
#include "vocabulary/suppress_tokens.h"
#include "vocabulary/vocabulary_builder.h"

namespace whisper_s4y {
namespace {

constexpr int kEnglishOnlyEndOfText = 50256;  // the .en vocabulary is one token shorter

// Older tokenizers spell two tokens differently; one spelling makes all formats agree.
void rename_old_tokens(Vocabulary& vocabulary) {
  for (size_t id = 0; id < vocabulary.tokens.size(); ++id) {
    if (vocabulary.special[id] == 0) continue;
    std::string& token = vocabulary.tokens[id];
    if (token == "<|nocaptions|>") token = "<|nospeech|>";
    if (token == "<|iw|>") token = "<|he|>";
  }
}

int special_token(const Vocabulary& vocabulary, std::string_view text) {
  for (size_t id = 0; id < vocabulary.tokens.size(); ++id) {
    if (vocabulary.special[id] != 0 && vocabulary.tokens[id] == text) return static_cast<int>(id);
  }
  return -1;
}

// The English-only tokenizer files end with <|notimestamps|>; the timestamps follow without names.
void name_timestamps(Vocabulary& vocabulary, int first) {
  for (int i = 0; i < kTimestampTokens; ++i) {
    const size_t id = static_cast<size_t>(first) + static_cast<size_t>(i);
    if (id >= vocabulary.tokens.size()) return;
    if (vocabulary.tokens[id].empty()) {
      vocabulary.tokens[id] = fmt::format("<|{}.{:02}|>", i / 50, i % 50 * 2);
    }
    vocabulary.special[id] = 1;
    vocabulary.ranks[id] = -1;
  }
}

// <|en|>, <|haw|>: the special tokens between <|startoftranscript|> and the first task.
std::vector<std::pair<std::string, int>> find_languages(const ModelInfo& info) {
  std::vector<std::pair<std::string, int>> languages;
  const GenerationConfig& g = info.generation;
  const int end = std::max(g.translate_token_id, g.transcribe_token_id);
  for (int id = g.decoder_start_token_id + 1; id < end; ++id) {
    const std::string& token = info.vocabulary.tokens[static_cast<size_t>(id)];
    const bool special = info.vocabulary.special[static_cast<size_t>(id)] != 0;
    if (!special || !has_special_form(token)) continue;
    std::string code = token.substr(2, token.size() - 4);
    const bool letters = std::ranges::all_of(code, [](char c) { return c >= 'a' && c <= 'z'; });
    if (letters && (code.size() == 2 || code.size() == 3)) {
      languages.emplace_back(std::move(code), id);
    }
  }
  return languages;
}

struct NamedId {
  int GenerationConfig::*id;
  std::string_view field, token;
};
constexpr NamedId kNamedIds[] = {
    {&GenerationConfig::eos_token_id, "eos_token_id", "<|endoftext|>"},
    {&GenerationConfig::decoder_start_token_id, "decoder_start_token_id", "<|startoftranscript|>"},
    {&GenerationConfig::translate_token_id, "task_to_id", "<|translate|>"},
    {&GenerationConfig::transcribe_token_id, "task_to_id", "<|transcribe|>"},
    {&GenerationConfig::sot_lm_token_id, "", "<|startoflm|>"},
    {&GenerationConfig::prev_sot_token_id, "prev_sot_token_id", "<|startofprev|>"},
    {&GenerationConfig::no_speech_token_id, "", "<|nospeech|>"},
    {&GenerationConfig::no_timestamps_token_id, "no_timestamps_token_id", "<|notimestamps|>"},
};

void complete_ids(GenerationConfig& g, const Vocabulary& vocabulary) {
  for (const NamedId& named : kNamedIds) {
    if (g.*named.id < 0) g.*named.id = special_token(vocabulary, named.token);
  }
}

// A byte-level tokenizer can write any text.
void check_bytes(const Vocabulary& vocabulary, const std::filesystem::path& path) {
  std::bitset<256> found;
  for (const std::string& token : vocabulary.tokens) {
    if (token.size() == 1) found.set(static_cast<unsigned char>(token[0]));
  }
  for (size_t byte = 0; byte < found.size(); ++byte) {
    if (!found[byte]) {
      fail("{}: the vocabulary has no token for the byte 0x{:02x}.", path.string(), byte);
    }
  }
}

// The last part of the path, without the endings of checkpoint files.
std::string name_from_path(const std::filesystem::path& path) {
  const std::filesystem::path clean =
      path.has_filename() ? path : path.parent_path();  // "folder/" ends with an empty name
  // models--OWNER--NAME/snapshots/COMMIT of a Hugging Face cache.
  const std::filesystem::path snapshots = clean.parent_path();
  const std::string model = snapshots.parent_path().filename().string();
  if (snapshots.filename() == "snapshots" && model.starts_with("models--")) {
    return model.substr(model.rfind("--") + 2);
  }
  const std::string extension = clean.extension().string();
  const bool file = extension == ".pt" || extension == ".bin" || extension == ".safetensors";
  const std::string name = (file ? clean.stem() : clean.filename()).string();
  return name.empty() || name == "." || name == ".." ? "whisper" : name;
}

}  // namespace

void forget_wrong_ids(ModelInfo& info, const std::filesystem::path& folder, Warnings& warnings) {
  GenerationConfig& g = info.generation;
  for (const NamedId& named : kNamedIds) {
    int& id = g.*named.id;
    const int right = special_token(info.vocabulary, named.token);
    if (id < 0 || right < 0 || id == right) continue;
    warn(warnings,
         "{}: {} says {}, but in the vocabulary {} is {}, which is used; the configuration may be "
         "another model's.",
         folder.string(), named.field, id, named.token, right);
    id = -1;
  }
  const bool shifted = std::ranges::any_of(g.lang_to_id, [&](const auto& language) {
    const int right = special_token(info.vocabulary, fmt::format("<|{}|>", language.first));
    return right >= 0 && right != language.second;
  });
  if (!shifted) return;
  warn(warnings,
       "{}: lang_to_id has other ids than the vocabulary, whose are used; the configuration may be "
       "another model's.",
       folder.string());
  g.lang_to_id.clear();
}

void complete_generation(ModelInfo& info, std::optional<bool> is_multilingual,
                         const std::filesystem::path& path) {
  GenerationConfig& g = info.generation;
  check_bytes(info.vocabulary, path);
  rename_old_tokens(info.vocabulary);
  complete_ids(g, info.vocabulary);
  const int size = info.config.vocab_size;
  // What follows indexes with these; validate() checks all ids once more.
  for (const int id : {g.decoder_start_token_id, g.translate_token_id, g.transcribe_token_id,
                       g.no_timestamps_token_id}) {
    if (id >= size) fail("{}: the token id {} is not below {}.", path.string(), id, size);
  }
  if (g.no_timestamps_token_id >= 0) {
    name_timestamps(info.vocabulary, g.no_timestamps_token_id + 1);
  }

  const auto languages = find_languages(info);
  g.is_multilingual = is_multilingual.value_or(g.eos_token_id != kEnglishOnlyEndOfText &&
                                               !(g.lang_to_id.empty() && languages.empty()));
  if (!g.is_multilingual) {
    g.lang_to_id.clear();  // .en models have the tokens but were never trained on them
  } else if (g.lang_to_id.empty()) {
    g.lang_to_id = languages;
  }

  if (g.suppress_tokens.empty()) {
    g.suppress_tokens = default_suppress_tokens(g, info.vocabulary);
  }
  if (g.begin_suppress_tokens.empty()) {
    g.begin_suppress_tokens = default_begin_suppress_tokens(g, info.vocabulary);
  }

  const std::string_view known = known_model_name(info.config, g.is_multilingual, path);
  info.name = known.empty() ? name_from_path(path) : std::string(known);
  if (g.alignment_heads.empty()) g.alignment_heads = known_alignment_heads(known);
  if (g.alignment_heads.empty()) g.alignment_heads = default_alignment_heads(info.config);
}

}  // namespace whisper_s4y
