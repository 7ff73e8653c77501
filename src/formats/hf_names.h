// Tensor names of Hugging Face checkpoints, whatever a training tool put before them.
#pragma once

#include <string>
#include <vector>

#include "checkpoint/checkpoint.h"

namespace whisper_s4y {

/// Throws Error when the tensors are those of a LoRA adapter.
void refuse_adapters(const std::vector<TensorView>& tensors, const std::string& path);

/// Strips the common prefix ("model.", none, "base_model.model.model.", ...) and files the tensors
/// under their canonical names. Names outside the prefix, other than that of the output matrix,
/// are ignored with a warning. Throws Error for LoRA adapters and duplicates.
void add_hf_tensors(std::vector<TensorView> tensors, Checkpoint& checkpoint);

}  // namespace whisper_s4y
