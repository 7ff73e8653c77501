// A .tflite file with the weights and metadata of a bundle, but without its graphs.
#pragma once

#include <string>

#include "checkpoint/checkpoint.h"
#include "formats/open_checkpoint.h"
#include "graph/dtype.h"

namespace whisper_s4y {

/// The bytes of such a file: what open_checkpoint() reads of a bundle, in a hundred kilobytes.
/// `matrices` is f32, f16 or i8; with i8 tables and kernels are f16.
[[nodiscard]] std::string tiny_tflite(const Checkpoint& checkpoint, DType matrices = DType::f32);

}  // namespace whisper_s4y
