// What the signatures of a model take and give.
//
//     for (const whisper_s4y::SignatureInfo& signature : model.info().signatures) {
//       for (const whisper_s4y::TensorInfo& tensor : signature.inputs) {
//         std::cout << signature.key << ": " << tensor.name << ' ' << tensor.description() << '\n';
//       }
//     }
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "whisper_s4y/export.h"

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

/// "float32", "int8", ...
[[nodiscard]] WHISPER_S4Y_API std::string_view name_of(DType type);

/// Sizes of the dimensions; a scalar has none.
using Shape = std::vector<int32_t>;

/// An input or output of a signature.
struct WHISPER_S4Y_API TensorInfo {
  std::string name;
  DType dtype = DType::f32;
  Shape shape;  // -1 for a dimension that is not fixed

  /// Bytes of the tensor. Throws Error when its size is not fixed: a dimension of -1, strings.
  [[nodiscard]] size_t bytes() const;
  /// "float32[1,80,3000]".
  [[nodiscard]] std::string description() const;
};

/// An entry point of a model.
struct SignatureInfo {
  std::string key;  // "encode"
  std::vector<TensorInfo> inputs;
  std::vector<TensorInfo> outputs;
};

}  // namespace whisper_s4y
