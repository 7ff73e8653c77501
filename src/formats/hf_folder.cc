// Hugging Face folders: weights in one or several files, config and tokenizer beside them.
#include <set>
#include <string>
#include <unordered_map>

#include "checkpoint/json_file.h"
#include "checkpoint/layout.h"
#include "checkpoint/side_file.h"
#include "common/fail.h"
#include "common/file_kind.h"
#include "formats/formats.h"
#include "formats/hf_config.h"
#include "formats/hf_names.h"
#include "formats/safetensors.h"
#include "formats/torch_file.h"
#include "vocabulary/generation.h"
#include "vocabulary/hf_tokenizer.h"

namespace whisper_s4y {
namespace {

struct WeightsFile {
  std::string format;
  std::vector<TensorView> tensors;
};

WeightsFile read_weights(const std::filesystem::path& path) {
  const MappedFile file(path);
  switch (kind_of(file.bytes())) {
    case FileKind::torch:
      return {"pytorch", read_torch_file(path).tensors};
    case FileKind::safetensors:
      return {"safetensors", read_safetensors(path)};
    default:
      refuse_unknown(path, file.bytes());
  }
}

// {"metadata": .., "weight_map": {tensor: file}}; every tensor must be in the file it is said to
// be in, and the files must hold nothing else.
WeightsFile read_shards(const std::filesystem::path& index_path) {
  const JsonFile index(index_path);
  const nlohmann::json* map = index.find("weight_map");
  if (map == nullptr || !map->is_object()) index.expected("weight_map", "an object");
  std::unordered_map<std::string, std::string> file_of;
  std::set<std::string> files;
  for (const auto& [tensor, file] : map->items()) {
    if (!file.is_string()) index.expected("weight_map", "a map of strings");
    std::string name = file.template get<std::string>();
    // A name that leaves the folder is no shard.
    if (name.empty() || std::filesystem::path(name).filename() != name || name == "..") {
      fail("{}: tensor {} is said to be in \"{}\", which is not a file name.", index.source(),
           tensor, name);
    }
    files.insert(name);
    file_of.emplace(tensor, std::move(name));
  }
  WeightsFile all;
  for (const std::string& file : files) {
    const auto path = find_side_file(folder_of(index_path), file);
    if (!path) fail("{} names {}, which is not there.", index.source(), file);
    WeightsFile shard = read_weights(*path);
    for (TensorView& tensor : shard.tensors) {
      const auto entry = file_of.find(tensor.name);
      if (entry == file_of.end() || entry->second != file) {
        fail("{}: tensor {} is in {}, the index says {}.", index.source(), tensor.name, file,
             entry == file_of.end() ? "nothing of it" : entry->second);
      }
      file_of.erase(entry);
      all.tensors.push_back(std::move(tensor));
    }
    all.format = std::move(shard.format);
  }
  if (!file_of.empty()) {
    fail("{}: tensor {} is not in {}.", index.source(), file_of.begin()->first,
         file_of.begin()->second);
  }
  return all;
}

// As transformers 5 does: two matrices that differ stay two, whatever config.json says.
void warn_of_tying(bool tied, Checkpoint& checkpoint) {
  if (!tied || !checkpoint.has(kOutputMatrix)) return;
  warn(checkpoint.warnings,
       "{}: {} is not {}, as config.json says it were (tie_word_embeddings); it is used as it is.",
       checkpoint.path.string(), kOutputMatrix, kTokenEmbedding);
}

std::unique_ptr<Checkpoint> assemble(const std::filesystem::path& path, WeightsFile weights) {
  const std::filesystem::path folder = folder_of(path);
  auto checkpoint = std::make_unique<Checkpoint>();
  checkpoint->format = std::move(weights.format);
  checkpoint->path = path;
  refuse_adapters(weights.tensors, path.string());
  HfConfig hf = read_hf_config(folder, checkpoint->warnings);
  ModelInfo& info = checkpoint->info;
  info.config = hf.config;
  info.generation = std::move(hf.generation);
  add_hf_tensors(std::move(weights.tensors), *checkpoint);
  check_tensors(*checkpoint);
  warn_of_tying(hf.tied, *checkpoint);
  info.vocabulary = read_hf_vocabulary(folder, info.config.vocab_size, path, checkpoint->warnings);
  forget_wrong_ids(info, folder, checkpoint->warnings);
  complete_generation(info, hf.is_multilingual, folder);
  validate(info, path.string());
  return checkpoint;
}

}  // namespace

std::unique_ptr<Checkpoint> open_safetensors(const std::filesystem::path& path) {
  return assemble(path, {"safetensors", read_safetensors(path)});
}

std::unique_ptr<Checkpoint> open_torch_bin(const std::filesystem::path& path,
                                           std::vector<TensorView> tensors) {
  return assemble(path, {"pytorch", std::move(tensors)});
}

std::unique_ptr<Checkpoint> open_shards(const std::filesystem::path& index) {
  return assemble(index, read_shards(index));
}

}  // namespace whisper_s4y
