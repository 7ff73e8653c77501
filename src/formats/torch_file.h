// Files written by torch.save: tensors by name, and the dimensions OpenAI stores with them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "checkpoint/checkpoint.h"

namespace whisper_s4y {

struct TorchFile {
  std::vector<TensorView> tensors;                    // names of the file
  std::vector<std::pair<std::string, int64_t>> dims;  // OpenAI's "dims"; empty in other files
};

/// Reads a state dict, alone or under "state_dict" or OpenAI's "model_state_dict", from a ZIP of
/// torch 1.6 and later or from the older format without a container. No code of the pickle is
/// run. Throws Error for everything malformed or not a state dict.
[[nodiscard]] TorchFile read_torch_file(const std::filesystem::path& path);

}  // namespace whisper_s4y
