// A name for what a model computes, whatever file it came from.
#pragma once

#include <string>

#include "checkpoint/checkpoint.h"

namespace whisper_s4y {

/// 32 hex digits over names, shapes and float32 values of all tensors: checkpoints of different
/// formats that hold the same numbers have the same hash. Reads all weights once, on all
/// processors, and gives their pages back.
[[nodiscard]] std::string weights_hash(const Checkpoint& checkpoint);

}  // namespace whisper_s4y
