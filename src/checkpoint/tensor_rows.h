// Tensors of a checkpoint as the rows that graphs, exports and hashes are made of.
#pragma once

#include "checkpoint/checkpoint.h"
#include "graph/constant.h"

namespace whisper_s4y {

/// The tensor as rows of float32; it must live as long.
[[nodiscard]] Rows rows_of(const TensorView& tensor);

}  // namespace whisper_s4y
