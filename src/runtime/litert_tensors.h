// Tensors as LiteRT describes them: its numbers of the element types are not the file's. Include
// this in .cc files of src/runtime only.
#pragma once

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "common/fail.h"
#include "runtime/litert_c.h"
#include "whisper_s4y/tensor.h"

namespace whisper_s4y::litert {

constexpr std::pair<LiteRtElementType, DType> kElementTypes[] = {
    {kLiteRtElementTypeFloat32, DType::f32},     {kLiteRtElementTypeInt32, DType::i32},
    {kLiteRtElementTypeUInt8, DType::u8},        {kLiteRtElementTypeInt64, DType::i64},
    {kLiteRtElementTypeTfString, DType::string}, {kLiteRtElementTypeBool, DType::boolean},
    {kLiteRtElementTypeInt8, DType::i8},         {kLiteRtElementTypeFloat16, DType::f16},
    {kLiteRtElementTypeInt4, DType::i4}};

inline std::optional<DType> dtype_of(LiteRtElementType element_type) {
  for (const auto& [type, dtype] : kElementTypes) {
    if (type == element_type) return dtype;
  }
  return std::nullopt;
}

inline LiteRtElementType element_type_of(DType wanted) {
  for (const auto& [type, dtype] : kElementTypes) {
    if (dtype == wanted) return type;
  }
  fail(ErrorCode::unsupported, "LiteRT has no element type {}.", name_of(wanted));
}

/// Throws Error when LiteRT has no such type.
inline LiteRtRankedTensorType ranked_type_of(const TensorInfo& tensor) {
  LiteRtRankedTensorType type{};
  type.element_type = element_type_of(tensor.dtype);
  type.layout.rank = static_cast<uint32_t>(tensor.shape.size());
  std::copy(tensor.shape.begin(), tensor.shape.end(), type.layout.dimensions);
  return type;
}

/// The tensor of that name, or null.
inline const TensorInfo* find_tensor(const std::vector<TensorInfo>& tensors,
                                     std::string_view name) {
  const auto found = std::ranges::find(tensors, name, &TensorInfo::name);
  return found == tensors.end() ? nullptr : &*found;
}

}  // namespace whisper_s4y::litert
