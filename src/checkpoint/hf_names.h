// Tensor names of Hugging Face checkpoints, whatever a training tool put before them.
#pragma once

#include <string>
#include <vector>

#include "checkpoint/checkpoint.h"

namespace whisper_s4y {

/// Strips the common prefix ("model.", none, "base_model.model.model.", ...), drops proj_out when
/// it repeats the embedding, and files the tensors under their canonical names. Throws Error for
/// LoRA adapters, untied projections, duplicates and names outside the prefix.
void add_hf_tensors(std::vector<TensorView> tensors, Checkpoint& checkpoint);

}  // namespace whisper_s4y
