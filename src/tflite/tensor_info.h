// What a signature says about one of its inputs or outputs.
#pragma once

#include <cstddef>
#include <string>

#include "graph/dtype.h"

namespace whisper_s4y {

struct TensorInfo {
  std::string name;
  DType dtype = DType::f32;
  Shape shape;  // -1 for a dimension that is not fixed

  /// Bytes of the tensor. Throws Error when its size is not fixed: a dimension of -1, strings.
  [[nodiscard]] size_t bytes() const;
  /// "float32[1,80,3000]".
  [[nodiscard]] std::string description() const;
};

}  // namespace whisper_s4y
