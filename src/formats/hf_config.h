// config.json and generation_config.json of Hugging Face.
#pragma once

#include <filesystem>
#include <optional>

#include "checkpoint/warnings.h"
#include "config/model_info.h"

namespace whisper_s4y {

struct HfConfig {
  ModelConfig config;
  GenerationConfig generation;          // -1 and empty lists where the files say nothing
  std::optional<bool> is_multilingual;  //
  bool tied = true;                     // whether the output matrix is to be the token embedding
};

/// Reads folder/config.json and, if present, folder/generation_config.json, which wins. Only what
/// the network is must be right: all that says how to decode can be left out, with a warning.
[[nodiscard]] HfConfig read_hf_config(const std::filesystem::path& folder, Warnings& warnings);

}  // namespace whisper_s4y
