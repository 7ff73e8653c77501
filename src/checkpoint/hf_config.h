// config.json and generation_config.json of Hugging Face.
#pragma once

#include <filesystem>
#include <optional>

#include "config/model_info.h"

namespace whisper_s4y {

struct HfConfig {
  ModelConfig config;
  GenerationConfig generation;          // -1 and empty lists where the files say nothing
  std::optional<bool> is_multilingual;  //
};

/// Reads folder/config.json and, if present, folder/generation_config.json, which wins.
[[nodiscard]] HfConfig read_hf_config(const std::filesystem::path& folder);

}  // namespace whisper_s4y
