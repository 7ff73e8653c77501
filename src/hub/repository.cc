#include "hub/repository.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "common/fail.h"
#include "common/parse_json.h"

namespace whisper_s4y {
namespace {

using Json = nlohmann::json;

bool is_plain_name(std::string_view name) {
  return !name.empty() && name != "." && name != ".." && name.size() <= 128 &&
         std::all_of(name.begin(), name.end(), [](unsigned char c) {
           return std::isalnum(c) != 0 || c == '.' || c == '_' || c == '-';
         });
}

bool is_owner_and_name(std::string_view name) {
  const size_t slash = name.find('/');
  return slash != std::string_view::npos && is_plain_name(name.substr(0, slash)) &&
         is_plain_name(name.substr(slash + 1));
}

bool is_hex(std::string_view text, size_t digits) {
  return text.size() == digits &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isxdigit(c); });
}

const RemoteFile* find(const std::vector<RemoteFile>& listing, std::string_view name) {
  const auto it = std::find_if(listing.begin(), listing.end(),
                               [&](const RemoteFile& file) { return file.name == name; });
  return it == listing.end() ? nullptr : &*it;
}

// A name of a file, its size and its hashes, of up to some ten thousand files.
constexpr JsonLimits kLimits = {.names = 1'000'000};

Json parse(std::string_view json, std::string_view source) {
  return parse_json_object<Json>(json, source, kLimits, ErrorCode::network);
}

// The names of openai/whisper (whisper/__init__.py: _MODELS, where "large" is the newest) and of
// the distilled models.
constexpr std::array<std::pair<std::string_view, std::string_view>, 19> kModels = {{
    {"tiny", "openai/whisper-tiny"},
    {"tiny.en", "openai/whisper-tiny.en"},
    {"base", "openai/whisper-base"},
    {"base.en", "openai/whisper-base.en"},
    {"small", "openai/whisper-small"},
    {"small.en", "openai/whisper-small.en"},
    {"medium", "openai/whisper-medium"},
    {"medium.en", "openai/whisper-medium.en"},
    {"large-v1", "openai/whisper-large"},
    {"large-v2", "openai/whisper-large-v2"},
    {"large-v3", "openai/whisper-large-v3"},
    {"large", "openai/whisper-large-v3"},
    {"large-v3-turbo", "openai/whisper-large-v3-turbo"},
    {"turbo", "openai/whisper-large-v3-turbo"},
    {"distil-small.en", "distil-whisper/distil-small.en"},
    {"distil-medium.en", "distil-whisper/distil-medium.en"},
    {"distil-large-v2", "distil-whisper/distil-large-v2"},
    {"distil-large-v3", "distil-whisper/distil-large-v3"},
    {"distil-large-v3.5", "distil-whisper/distil-large-v3.5"},
}};

std::string_view known_repository(std::string_view name) {
  for (const auto& [known, repository] : kModels) {
    if (known == name) return repository;
  }
  return {};
}

}  // namespace

std::vector<std::string> known_model_names() {
  std::vector<std::string> names;
  for (const auto& [name, repository] : kModels) names.emplace_back(name);
  return names;
}

bool is_repository_name(std::string_view name) {
  return is_owner_and_name(name) || !known_repository(name).empty();
}

std::string repository_of(std::string_view name) {
  if (is_owner_and_name(name)) return std::string(name);
  const std::string_view repository = known_repository(name);
  if (repository.empty()) {
    fail(ErrorCode::not_found,
         "'{}' names no model: expected one of {}, or the owner/name of a repository on the hub.",
         name, fmt::join(known_model_names(), ", "));
  }
  return std::string(repository);
}

std::vector<RemoteFile> parse_listing(std::string_view json, std::string_view source) {
  const Json description = parse(json, source);
  const auto siblings = description.find("siblings");
  if (siblings == description.end() || !siblings->is_array()) {
    fail(ErrorCode::network, "{} has no list of files (\"siblings\").", source);
  }
  std::vector<RemoteFile> listing;
  for (const Json& item : *siblings) {
    if (!item.is_object() || !item.contains("rfilename") || !item["rfilename"].is_string()) {
      fail(ErrorCode::network, "{} lists a file without a name (\"rfilename\").", source);
    }
    RemoteFile file{.name = item["rfilename"].get<std::string>()};
    if (const auto size = item.find("size"); size != item.end() && size->is_number_unsigned()) {
      file.size = size->get<uint64_t>();
    }
    if (const auto lfs = item.find("lfs"); lfs != item.end() && lfs->is_object()) {
      for (const char* key : {"sha256", "oid"}) {
        const auto hash = lfs->find(key);
        if (hash != lfs->end() && hash->is_string() && is_hex(hash->get<std::string>(), 64)) {
          file.sha256 = hash->get<std::string>();
        }
      }
    }
    // Of files in large-file storage that would be the id of the pointer.
    const auto blob = item.find("blobId");
    if (file.sha256.empty() && !item.contains("lfs") && blob != item.end() && blob->is_string() &&
        is_hex(blob->get<std::string>(), 40)) {
      file.blob_id = blob->get<std::string>();
    }
    listing.push_back(std::move(file));
  }
  return listing;
}

std::vector<RemoteFile> select_files(const std::vector<RemoteFile>& listing,
                                     std::string_view source) {
  if (find(listing, "adapter_config.json") != nullptr &&
      find(listing, "model.safetensors") == nullptr) {
    fail(ErrorCode::network,
         "{} is a LoRA adapter, not a whole model; merge it into its base model with PEFT's "
         "merge_and_unload() and convert that.",
         source);
  }
  if (find(listing, "config.json") == nullptr) {
    fail(ErrorCode::invalid_file, "{} holds no Whisper checkpoint: it has no config.json.", source);
  }
  std::vector<RemoteFile> selected;
  for (const char* name :
       {"config.json", "generation_config.json", "preprocessor_config.json", "tokenizer.json",
        "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.json",
        "merges.txt", "vocabulary.json", "vocabulary.txt"}) {
    if (const RemoteFile* file = find(listing, name)) selected.push_back(*file);
  }
  // One form of the weights, the safest to read first; model.bin is CTranslate2's.
  for (const std::string_view name :
       {std::string_view("model.safetensors"), kShardIndex, std::string_view("pytorch_model.bin"),
        std::string_view("model.bin")}) {
    if (const RemoteFile* file = find(listing, name)) {
      selected.push_back(*file);
      return selected;
    }
  }
  fail(ErrorCode::network,
       "{} has no weights to convert: expected model.safetensors (whole or sharded), "
       "pytorch_model.bin or CTranslate2's model.bin.",
       source);
}

std::vector<std::string> shard_names(std::string_view index_json, std::string_view source) {
  const Json index = parse(index_json, source);
  const auto map = index.find("weight_map");
  if (map == index.end() || !map->is_object())
    fail(ErrorCode::network, "{} has no object \"weight_map\".", source);
  std::set<std::string> names;
  for (const auto& [tensor, shard] : map->items()) {
    if (!shard.is_string())
      fail(ErrorCode::network, "{}: \"weight_map\" names no file for {}.", source, tensor);
    names.insert(shard.get<std::string>());
  }
  for (const std::string& name : names) {
    if (!is_plain_name(name) || !name.ends_with(".safetensors")) {
      fail(ErrorCode::network,
           "{} names a shard '{}', which is not a plain name ending in .safetensors.", source,
           name);
    }
  }
  return {names.begin(), names.end()};
}

std::vector<RemoteFile> shards_of(std::string_view index_json,
                                  const std::vector<RemoteFile>& listing, std::string_view source) {
  std::vector<RemoteFile> shards;
  for (const std::string& name : shard_names(index_json, source)) {
    const RemoteFile* file = find(listing, name);
    if (file == nullptr)
      fail(ErrorCode::network, "{} names the shard {}, which the repository lacks.", source, name);
    shards.push_back(*file);
  }
  return shards;
}

}  // namespace whisper_s4y
