#include "formats/open_checkpoint.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "checkpoint/json_file.h"
#include "checkpoint/side_file.h"
#include "common/fail.h"
#include "common/file_kind.h"
#include "common/named_path.h"
#include "formats/formats.h"
#include "formats/hf_names.h"
#include "formats/torch_file.h"

namespace whisper_s4y {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSafetensorsIndex = "model.safetensors.index.json";
constexpr std::string_view kTorchIndex = "pytorch_model.bin.index.json";

// OpenAI's files say their dimensions, Hugging Face's have a config beside them.
std::unique_ptr<Checkpoint> open_torch(const fs::path& path) {
  TorchFile file = read_torch_file(path);
  if (!file.dims.empty()) return open_openai(path, std::move(file));
  refuse_adapters(file.tensors, path.string());
  if (!find_side_file(folder_of(path), "config.json")) {
    fail(
        "{} has neither the dims of openai/whisper inside nor the config.json of a Hugging Face "
        "model beside it.",
        path.string());
  }
  return open_torch_bin(path, std::move(file.tensors));
}

constexpr std::string_view kMerge =
    "merge it into its base model with PEFT's merge_and_unload() and save that";

// The index of several files of weights, or another JSON file in its place.
std::unique_ptr<Checkpoint> open_json(const fs::path& path) {
  const JsonFile file(path);
  if (file.find("weight_map") == nullptr) {
    if (file.find("peft_type") != nullptr) {
      fail("{} is the configuration of a LoRA adapter, not a model; {}.", path.string(), kMerge);
    }
    if (file.find("d_model") != nullptr || file.find("alignment_heads") != nullptr) {
      fail(
          "{} is a model's configuration, not its weights; give the folder {} or a file of "
          "weights.",
          path.string(), folder_of(path).string());
    }
  }
  return open_shards(path);
}

std::unique_ptr<Checkpoint> open_file(const fs::path& path) {
  const MappedFile file(path);
  const auto bytes = file.bytes();
  if (bytes.empty()) fail("{} is empty.", path.string());
  const FileKind kind = kind_of(bytes);
  // One shard of several: the index knows the others.
  const bool safetensors = kind == FileKind::safetensors;
  if ((safetensors || kind == FileKind::torch) &&
      path.filename().string().find("-of-") != std::string::npos) {
    const auto index =
        find_side_file(folder_of(path), safetensors ? kSafetensorsIndex : kTorchIndex);
    if (index) return open_shards(*index);
  }
  switch (kind) {
    case FileKind::safetensors:
      return open_safetensors(path);
    case FileKind::torch:
      return open_torch(path);
    case FileKind::ctranslate2:
      return open_ctranslate2(path);
    case FileKind::ggml:
      return open_ggml(path);
    case FileKind::tflite:
      return open_tflite(path);
    case FileKind::json:
      return open_json(path);
    case FileKind::other:
      break;
  }
  refuse_unknown(path, bytes);
}

// The one file in `folder` whose name ends like this; nothing when there is none.
std::optional<fs::path> only_file(const fs::path& folder, std::string_view ending) {
  std::vector<std::string> found;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name.ends_with(ending)) found.push_back(name);
  }
  std::ranges::sort(found);
  if (found.size() > 1) {
    fail("{} has several files named *{}: {} and {}; name the one to read.", folder.string(),
         ending, found[0], found[1]);
  }
  return found.empty() ? std::nullopt : find_side_file(folder, found[0]);
}

// The weights under the names that other programs give them.
std::optional<fs::path> usual_weights(const fs::path& folder) {
  for (const std::string_view name :
       {std::string_view("model.safetensors"), kSafetensorsIndex, std::string_view("model.bin"),
        std::string_view("pytorch_model.bin"), kTorchIndex}) {
    if (auto file = find_side_file(folder, name)) return file;
  }
  return std::nullopt;
}

void refuse_adapter_folder(const fs::path& folder) {
  const auto path = find_side_file(folder, "adapter_config.json");
  if (!path) return;
  std::optional<std::string> base;
  Warnings unreadable;  // the name of the base is a courtesy
  read_optional(unreadable, "", [&] { base = JsonFile(*path).string("base_model_name_or_path"); });
  fail("{} is a LoRA adapter{}, not a whole model; {}.", folder.string(),
       base ? fmt::format(" for {}", *base) : "", kMerge);
}

// Weights of programs whose files are not read, by the name they have in a model's folder.
void refuse_other_weights(const fs::path& folder) {
  struct Other {
    std::string_view ending, program;
  };
  constexpr Other kOthers[] = {
      {".h5", "TensorFlow"},   {".msgpack", "Flax"},  {".onnx", "ONNX"}, {".gguf", "GGUF"},
      {".mlmodel", "Core ML"}, {".pb", "TensorFlow"}, {".nemo", "NeMo"}};
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    for (const Other& other : kOthers) {
      if (!name.ends_with(other.ending)) continue;
      fail(
          "{} holds weights of {} only ({}), which are not read; expected model.safetensors or "
          "pytorch_model.bin, which transformers saves after loading such weights.",
          folder.string(), other.program, name);
    }
  }
}

// A training's checkpoint-1000/, checkpoint-2000/, or snapshots/REVISION/ of a cache.
void refuse_parent(const fs::path& folder) {
  std::vector<std::string> found;
  std::vector<fs::path> parents = {folder};
  if (fs::is_directory(folder / "snapshots")) parents.push_back(folder / "snapshots");
  for (const fs::path& parent : parents) {
    for (const fs::directory_entry& entry : fs::directory_iterator(parent)) {
      if (entry.is_directory() && usual_weights(entry.path())) {
        found.push_back(entry.path().lexically_relative(folder).string());
      }
    }
  }
  if (found.empty()) return;
  std::ranges::sort(found);
  fail("{} holds no checkpoint itself but {} below it; give the one to read: {}.", folder.string(),
       found.size() == 1 ? "one" : fmt::format("{}", found.size()), some_of(found));
}

std::unique_ptr<Checkpoint> open_folder(const fs::path& folder) {
  if (const auto file = usual_weights(folder)) return open_file(*file);
  refuse_adapter_folder(folder);
  for (const std::string_view ending : {".safetensors.index.json", ".safetensors", ".pt", ".bin"}) {
    if (const auto file = only_file(folder, ending)) return open_file(*file);
  }
  refuse_other_weights(folder);
  refuse_parent(folder);
  fail(
      "{} holds no checkpoint: expected model.safetensors, pytorch_model.bin, model.bin, "
      "a .pt or a .bin file in it.",
      folder.string());
}

}  // namespace

void refuse_unknown(const fs::path& path, std::span<const std::byte> bytes) {
  if (const auto meaning = what_else(bytes); !meaning.empty()) {
    fail("{} {}.", path.string(), meaning);
  }
  fail(
      "{} is no checkpoint this program knows: expected safetensors, PyTorch, CTranslate2, "
      "whisper.cpp's ggml or a .tflite bundle of this program.",
      path.string());
}

std::unique_ptr<Checkpoint> open_checkpoint(const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::status(named(path), error);
  if (status.type() == fs::file_type::not_found) {
    fail(ErrorCode::io, "{} does not exist.", path.string());
  }
  if (error) fail(ErrorCode::io, "Cannot open {}: {}.", path.string(), error.message());
  try {
    return fs::is_directory(status) ? open_folder(path) : open_file(path);
  } catch (const fs::filesystem_error& failure) {
    fail(ErrorCode::io, "Cannot read {}: {}.", failure.path1().string(), failure.code().message());
  }
}

}  // namespace whisper_s4y
