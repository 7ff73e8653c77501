// Element types and shapes of graph tensors.
#pragma once

#include <cstdint>
#include <string>

#include "whisper_s4y/tensor.h"

namespace whisper_s4y {

/// Bits of one element; strings have none and throw Error.
[[nodiscard]] int bits_of(DType type);

[[nodiscard]] int64_t element_count(const Shape& shape);
[[nodiscard]] std::string to_string(const Shape& shape);

/// Bytes of a dense tensor; int4 packs two elements a byte.
[[nodiscard]] uint64_t byte_count(DType type, const Shape& shape);

}  // namespace whisper_s4y
