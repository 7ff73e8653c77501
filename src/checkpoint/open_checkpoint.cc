// Finds the format of a checkpoint by its content.
#include <algorithm>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "checkpoint/formats.h"
#include "checkpoint/side_file.h"
#include "checkpoint/torch_file.h"
#include "tflite/reader.h"
#include "whisper_s4y/error.h"

namespace whisper_s4y {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSafetensorsIndex = "model.safetensors.index.json";
constexpr std::string_view kTorchIndex = "pytorch_model.bin.index.json";

bool is_safetensors(std::span<const std::byte> bytes) {
  uint64_t header = 0;
  if (bytes.size() < 9) return false;
  std::memcpy(&header, bytes.data(), sizeof(header));
  return static_cast<char>(bytes[8]) == '{' && header < uint64_t{1} << 32;
}

// A small version number, then a string of at most 64 bytes that ends with "Spec".
bool is_ctranslate2(std::span<const std::byte> bytes) {
  uint32_t version = 0;
  uint16_t length = 0;
  if (bytes.size() < 6) return false;
  std::memcpy(&version, bytes.data(), sizeof(version));
  std::memcpy(&length, bytes.data() + 4, sizeof(length));
  if (version == 0 || version > 99 || length < 5 || length > 64 || bytes.size() < 6U + length) {
    return false;
  }
  const std::string_view name(reinterpret_cast<const char*>(bytes.data()) + 6, length - 1U);
  return name.ends_with("Spec");
}

// OpenAI's files say their dimensions, Hugging Face's have a config beside them.
std::unique_ptr<Checkpoint> open_torch(const fs::path& path) {
  TorchFile file = read_torch_file(path);
  if (!file.dims.empty()) return open_openai(path, std::move(file));
  if (!find_side_file(folder_of(path), "config.json")) {
    fail(
        "{} has neither the dims of openai/whisper inside nor the config.json of a Hugging Face "
        "model beside it.",
        path.string());
  }
  return open_torch_bin(path, std::move(file.tensors));
}

std::unique_ptr<Checkpoint> open_file(const fs::path& path) {
  const MappedFile file(path);
  const auto bytes = file.bytes();
  const std::string_view start(reinterpret_cast<const char*>(bytes.data()),
                               std::min<size_t>(bytes.size(), 16));
  if (start.empty()) fail("{} is empty.", path.string());
  const bool safetensors = is_safetensors(bytes);
  const bool torch = is_torch_file(bytes);
  // One shard of several: the index knows the others.
  if ((safetensors || torch) && path.filename().string().find("-of-") != std::string::npos) {
    const auto index =
        find_side_file(folder_of(path), safetensors ? kSafetensorsIndex : kTorchIndex);
    if (index) return open_shards(*index);
  }
  if (safetensors) return open_safetensors(path);
  if (torch) return open_torch(path);
  if (is_ctranslate2(bytes)) return open_ctranslate2(path);
  if (start.starts_with("lmgg")) return open_ggml(path);
  if (start.starts_with('{')) return open_shards(path);
  if (start.substr(0, 4) == "GGUF") {
    fail("{} is a GGUF file; Whisper's ggml files begin with \"lmgg\".", path.string());
  }
  if (is_tflite(bytes)) return open_tflite(path);
  fail(
      "{} is no checkpoint this program knows: expected safetensors, PyTorch, CTranslate2, "
      "whisper.cpp's ggml or a .tflite bundle of this program.",
      path.string());
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

std::unique_ptr<Checkpoint> open_folder(const fs::path& folder) {
  for (const std::string_view name :
       {std::string_view("model.safetensors"), kSafetensorsIndex, std::string_view("model.bin"),
        std::string_view("pytorch_model.bin"), kTorchIndex}) {
    if (const auto file = find_side_file(folder, name)) return open_file(*file);
  }
  if (fs::exists(folder / "adapter_config.json")) {
    fail(
        "{} is a LoRA adapter, not a whole model; merge it into its base model with PEFT's "
        "merge_and_unload() and save that.",
        folder.string());
  }
  for (const std::string_view ending : {".safetensors.index.json", ".safetensors", ".pt", ".bin"}) {
    if (const auto file = only_file(folder, ending)) return open_file(*file);
  }
  fail(
      "{} holds no checkpoint: expected model.safetensors, pytorch_model.bin, model.bin, "
      "a .pt or a .bin file in it.",
      folder.string());
}

}  // namespace

std::unique_ptr<Checkpoint> open_checkpoint(const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found) fail("{} does not exist.", path.string());
  if (error) fail("Cannot open {}: {}.", path.string(), error.message());
  try {
    return fs::is_directory(status) ? open_folder(path) : open_file(path);
  } catch (const fs::filesystem_error& failure) {
    fail("Cannot read {}: {}.", failure.path1().string(), failure.code().message());
  }
}

}  // namespace whisper_s4y
