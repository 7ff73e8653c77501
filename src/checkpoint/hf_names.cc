#include "checkpoint/hf_names.h"

#include <optional>
#include <string_view>

#include "checkpoint/layout.h"
#include "whisper_s4y/error.h"

namespace whisper_s4y {
namespace {

constexpr std::string_view kAnchor = "encoder.conv1.weight";  // every Whisper has it once
constexpr std::string_view kProjection = "proj_out.weight";
constexpr std::string_view kEmbedding = "decoder.embed_tokens.weight";

void refuse_adapters(const std::vector<TensorView>& tensors, const std::string& path) {
  for (const TensorView& tensor : tensors) {
    if (tensor.name.find(".lora_") != std::string::npos ||
        tensor.name.find(".base_layer.") != std::string::npos) {
      fail(
          "{} is a LoRA adapter, not a whole model (tensor {}); merge it into its base model with "
          "PEFT's merge_and_unload() and save that.",
          path, tensor.name);
    }
  }
}

std::string find_prefix(const std::vector<TensorView>& tensors, const std::string& path) {
  std::optional<std::string> prefix;
  for (const TensorView& tensor : tensors) {
    if (!tensor.name.ends_with(kAnchor)) continue;
    const std::string before = tensor.name.substr(0, tensor.name.size() - kAnchor.size());
    if (!before.empty() && !before.ends_with('.')) continue;
    if (prefix) fail("{}: both {}{} and {} are there.", path, *prefix, kAnchor, tensor.name);
    prefix = before;
  }
  if (!prefix) fail("{} is not a Whisper model: it has no tensor {}.", path, kAnchor);
  return *prefix;
}

// The output projection shares the embedding's weights in every Whisper; the parts we build have
// one copy of them.
void check_tied(const TensorView& projection, const Checkpoint& checkpoint) {
  const TensorView& embedding = checkpoint.tensor(kEmbedding);
  if (projection.shape != embedding.shape || !equal_values(projection, embedding)) {
    fail("{}: {} differs from {}; models with an untied output projection are not Whisper's.",
         checkpoint.path.string(), projection.name, kEmbedding);
  }
  projection.release_rows(0, projection.rows());
}

}  // namespace

void add_hf_tensors(std::vector<TensorView> tensors, Checkpoint& checkpoint) {
  const std::string path = checkpoint.path.string();
  refuse_adapters(tensors, path);
  const std::string prefix = find_prefix(tensors, path);
  std::optional<TensorView> projection;
  for (TensorView& tensor : tensors) {
    if (tensor.name == kProjection || tensor.name.ends_with(".proj_out.weight")) {
      if (projection) fail("{}: both {} and {} are there.", path, projection->name, tensor.name);
      projection = std::move(tensor);
      continue;
    }
    if (!tensor.name.starts_with(prefix)) {
      fail("{}: tensor {} does not begin with {} as the others do.", path, tensor.name, prefix);
    }
    tensor.name.erase(0, prefix.size());
    std::string name = tensor.name;
    if (!checkpoint.tensors.emplace(name, std::move(tensor)).second) {
      fail("{}: tensor {} appears twice.", path, name);
    }
  }
  if (projection) check_tied(*projection, checkpoint);
}

}  // namespace whisper_s4y
