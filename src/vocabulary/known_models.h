// The published Whisper models, told apart by their dimensions.
#pragma once

#include <filesystem>
#include <string_view>
#include <utility>
#include <vector>

#include "config/model_info.h"

namespace whisper_s4y {

/// "tiny.en", "large-v3-turbo", ...; empty when no published model has these dimensions. large-v1
/// and large-v2 have the same: `path` decides when it names one, else the answer is "large".
[[nodiscard]] std::string_view known_model_name(const ModelConfig& config, bool is_multilingual,
                                                const std::filesystem::path& path);

/// (decoder layer, head) pairs of a published model, empty when unknown.
/// From openai/whisper __init__.py _ALIGNMENT_HEADS.
[[nodiscard]] std::vector<std::pair<int, int>> known_alignment_heads(std::string_view model);

/// Every head of the upper half of the decoder layers: the choice of openai/whisper model.py for
/// models without a list.
[[nodiscard]] std::vector<std::pair<int, int>> default_alignment_heads(const ModelConfig& config);

}  // namespace whisper_s4y
