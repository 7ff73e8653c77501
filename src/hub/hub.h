// Checkpoints from a Hugging Face style hub.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "hub/download.h"

namespace whisper_s4y {

struct HubOptions {
  std::string endpoint = "https://huggingface.co";  // environment HF_ENDPOINT
  std::string token;                                // environment HF_TOKEN; for private models
  std::string revision = "main";                    // branch, tag or commit
  int retries = 5;                                  // in a row without a single byte received
  std::chrono::milliseconds retry_delay{1000};      // before the first; doubles each time
  std::chrono::seconds stall_timeout{30};           // no byte for so long counts as a failure
  bool offline = false;                 // no connection is made; environment HF_HUB_OFFLINE
  std::filesystem::path hf_cache = {};  // of huggingface_hub, read only; empty: none
  // Called as bytes arrive: file name, bytes of it so far and in all (0 = unknown).
  std::function<void(const std::string& file, uint64_t done, uint64_t total)> progress;
  // Told what the user may wonder about, "the hub asks to wait 12 s": no capital, no full stop.
  std::function<void(const std::string& notice)> notice;
  // Asked while bytes are waited for; true ends the download with ErrorCode::cancelled.
  std::function<bool()> cancelled;
};

/// Options from the environment: HF_ENDPOINT, HF_TOKEN, HF_HUB_OFFLINE, and the cache of
/// huggingface_hub as that finds it (hub/hf_cache.h).
[[nodiscard]] HubOptions hub_options_from_environment();

/// Downloads the checkpoint `name` ("tiny.en", "owner/name") into `folder`: configuration,
/// tokenizer, weights. Files that are there and right are kept, begun ones continued.
/// Throws Error naming what could not be had.
void pull(std::string_view name, const std::filesystem::path& folder, const HubOptions& options);

/// Folder or file of a checkpoint: a path that exists is returned as it is. A model's name is
/// looked for in $XDG_CACHE_HOME/whisper-s4y/hub (or ~/.cache/…), then in the cache of
/// huggingface_hub, else pulled into the former, in which each endpoint has a place of its own.
/// Throws Error when it is neither.
[[nodiscard]] std::filesystem::path resolve_checkpoint(const std::string& name_or_path,
                                                       const HubOptions& options);

}  // namespace whisper_s4y
