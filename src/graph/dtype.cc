#include "graph/dtype.h"

#include "common/fail.h"

namespace whisper_s4y {

std::string_view name_of(DType type) {
  switch (type) {
    case DType::f32:
      return "float32";
    case DType::f16:
      return "float16";
    case DType::i32:
      return "int32";
    case DType::u8:
      return "uint8";
    case DType::i64:
      return "int64";
    case DType::string:
      return "string";
    case DType::boolean:
      return "bool";
    case DType::i8:
      return "int8";
    case DType::i4:
      return "int4";
  }
  return "unknown";
}

int bits_of(DType type) {
  switch (type) {
    case DType::f32:
    case DType::i32:
      return 32;
    case DType::f16:
      return 16;
    case DType::i64:
      return 64;
    case DType::u8:
    case DType::boolean:
    case DType::i8:
      return 8;
    case DType::i4:
      return 4;
    case DType::string:
      break;
  }
  fail("A tensor of type {} has no fixed element size.", name_of(type));
}

int64_t element_count(const Shape& shape) {
  int64_t count = 1;
  for (const int32_t size : shape) count *= size;
  return count;
}

std::string to_string(const Shape& shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) {
    if (i > 0) text += ", ";
    text += std::to_string(shape[i]);
  }
  return text + "]";
}

uint64_t byte_count(DType type, const Shape& shape) {
  return (static_cast<uint64_t>(element_count(shape)) * static_cast<uint64_t>(bits_of(type)) + 7) /
         8;
}

}  // namespace whisper_s4y
