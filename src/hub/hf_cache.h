// The cache of huggingface_hub, which other programs have filled.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace whisper_s4y {

/// Where huggingface_hub has its cache (constants.py): HF_HUB_CACHE, else HUGGINGFACE_HUB_CACHE,
/// else HF_HOME/hub, else XDG_CACHE_HOME/huggingface/hub, else ~/.cache/huggingface/hub. Empty
/// when there is no home either.
[[nodiscard]] std::filesystem::path hf_cache_from_environment();

/// The snapshot of a model ("owner/name") in `cache`, models--OWNER--NAME/snapshots/COMMIT, for a
/// branch or tag through refs/REVISION. Nothing when it is not there, or lacks configuration,
/// tokenizer or a part of the weights.
[[nodiscard]] std::optional<std::filesystem::path> find_in_hf_cache(
    const std::filesystem::path& cache, const std::string& repository, const std::string& revision);

}  // namespace whisper_s4y
