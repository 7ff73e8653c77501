#include "formats/hf_names.h"

#include <optional>
#include <string_view>

#include "checkpoint/layout.h"
#include "common/fail.h"

namespace whisper_s4y {
namespace {

constexpr std::string_view kAnchor = "encoder.conv1.weight";  // every Whisper has it once
// Beside the model, not inside it: the prefix is another one.
bool is_output_matrix(std::string_view name) {
  return name == kOutputMatrix || name.ends_with(fmt::format(".{}", kOutputMatrix));
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

}  // namespace

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

void add_hf_tensors(std::vector<TensorView> tensors, Checkpoint& checkpoint) {
  const std::string path = checkpoint.path.string();
  refuse_adapters(tensors, path);
  const std::string prefix = find_prefix(tensors, path);
  std::vector<std::string> others;
  for (TensorView& tensor : tensors) {
    if (is_output_matrix(tensor.name)) {
      tensor.name = kOutputMatrix;
    } else if (tensor.name.starts_with(prefix)) {
      tensor.name.erase(0, prefix.size());
    } else {
      others.push_back(tensor.name);
      continue;
    }
    std::string name = tensor.name;
    if (!checkpoint.tensors.emplace(name, std::move(tensor)).second) {
      fail("{}: tensor {} appears twice.", path, name);
    }
  }
  ignore_tensors(checkpoint, others);
}

}  // namespace whisper_s4y
