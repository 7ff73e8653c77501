// The bytes of a constant as numbers, for comparisons.
#pragma once

#include <cstring>
#include <vector>

#include "graph/constant.h"

namespace whisper_s4y::testing {

template <typename T>
std::vector<T> numbers_of(const ConstantData& data) {
  std::vector<std::byte> bytes;
  data.write([&](std::span<const std::byte> part) {
    bytes.insert(bytes.end(), part.begin(), part.end());
  });
  std::vector<T> numbers(bytes.size() / sizeof(T));
  std::memcpy(numbers.data(), bytes.data(), numbers.size() * sizeof(T));
  return numbers;
}

inline std::vector<float> numbers_of(const Rows& rows) {
  return numbers_of<float>(*float_constant(rows, DType::f32));
}

}  // namespace whisper_s4y::testing
