#include <fmt/ranges.h>

#include <algorithm>

#include "common/fail.h"
#include "graph/dtype.h"
#include "whisper_s4y/tensor.h"

namespace whisper_s4y {

size_t TensorInfo::bytes() const {
  if (dtype == DType::string ||
      std::any_of(shape.begin(), shape.end(), [](int dimension) { return dimension < 0; })) {
    fail("Tensor \"{}\" {} has no fixed size.", name, description());
  }
  return static_cast<size_t>(byte_count(dtype, shape));
}

std::string TensorInfo::description() const {
  return fmt::format("{}[{}]", name_of(dtype), fmt::join(shape, ","));
}

}  // namespace whisper_s4y
