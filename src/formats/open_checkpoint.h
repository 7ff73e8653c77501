// The one door to every checkpoint format.
#pragma once

#include <filesystem>
#include <memory>

#include "checkpoint/checkpoint.h"

namespace whisper_s4y {

/// Opens a checkpoint, finding its format by content. Throws Error with one sentence that names
/// file, tensor and offset for anything truncated, overlapping, mis-sized or unknown.
[[nodiscard]] std::unique_ptr<Checkpoint> open_checkpoint(const std::filesystem::path& path);

}  // namespace whisper_s4y
