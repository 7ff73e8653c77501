// Tensor names of openai/whisper, which .pt and ggml files use.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/checkpoint.h"

namespace whisper_s4y {

/// "encoder.layers.0.self_attn.q_proj.weight" -> "encoder.blocks.0.attn.query.weight".
[[nodiscard]] std::string openai_name(std::string_view canonical);

/// Files the tensors under their canonical names. Unknown ones are ignored with a warning. Throws
/// Error for duplicates.
void add_openai_tensors(std::vector<TensorView> tensors, Checkpoint& checkpoint);

}  // namespace whisper_s4y
