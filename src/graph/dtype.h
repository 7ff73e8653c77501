// Element types and shapes of graph tensors.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace whisper_s4y {

/// Element type of a tensor; the numbers are those of TensorType in the TFLite schema.
enum class DType : int8_t {
  f32 = 0,
  f16 = 1,
  i32 = 2,
  u8 = 3,
  i64 = 4,
  string = 5,
  boolean = 6,
  i8 = 9,
  i4 = 17,
};

[[nodiscard]] std::string_view name_of(DType type);

/// Bits of one element; strings have none and throw Error.
[[nodiscard]] int bits_of(DType type);

/// Sizes of the dimensions; a scalar has none.
using Shape = std::vector<int32_t>;

[[nodiscard]] int64_t element_count(const Shape& shape);
[[nodiscard]] std::string to_string(const Shape& shape);

/// Bytes of a dense tensor; int4 packs two elements a byte.
[[nodiscard]] uint64_t byte_count(DType type, const Shape& shape);

}  // namespace whisper_s4y
