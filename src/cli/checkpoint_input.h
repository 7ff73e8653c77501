// Checkpoints as the commands take them.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "checkpoint/checkpoint.h"

namespace whisper_s4y {

/// Opens a checkpoint and prints its warnings on the standard error.
[[nodiscard]] std::unique_ptr<Checkpoint> open_with_warnings(const std::filesystem::path& path);

/// The same for a path or the name of a model on the hub, which is downloaded once. Quiet: without
/// the progress of that.
[[nodiscard]] std::unique_ptr<Checkpoint> open_by_name(const std::string& name_or_path, bool quiet);

}  // namespace whisper_s4y
