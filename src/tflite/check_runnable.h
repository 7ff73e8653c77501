// Whether a .tflite file can be given to LiteRT, which trusts what it runs.
#pragma once

#include "tflite/reader.h"

namespace whisper_s4y {

/// Throws Error naming the place in the file unless
///   - it defines signatures, and each names all inputs and outputs of its subgraph;
///   - every op is one of graph/ops.h, with inputs that are there when it runs, and its outputs
///   have
///     the types and shapes which the builders of graph/ops.h give them;
///   - what decides a shape (axes, sizes, paddings) is a constant, and nothing writes to a
///   constant;
///   - scales are those of whole int8 and int4 matrices, and strings lie inside their buffer;
///   - one run takes no more memory and work than a model with this many bytes of weights can need.
void check_runnable(const TfliteFile& file);

}  // namespace whisper_s4y
