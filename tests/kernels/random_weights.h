// Random numbers, and matrices of them in every form that files have.
#pragma once

#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "common/half.h"
#include "kernels/products.h"

namespace whisper_s4y {

inline std::vector<float> random_floats(size_t count, std::mt19937& random) {
  std::normal_distribution<float> normal;
  std::vector<float> numbers(count);
  for (float& number : numbers) number = normal(random);
  return numbers;
}

/// A matrix and its values in plain floats.
struct Weights {
  Weights(WeightKind kind, size_t rows, size_t columns, std::mt19937& random)
      : values(random_floats(rows * columns, random)) {
    matrix = {.kind = kind, .rows = rows, .columns = columns};
    if (kind == WeightKind::f32) {
      bytes.resize(values.size() * sizeof(float));
      std::memcpy(bytes.data(), values.data(), bytes.size());
    } else if (kind == WeightKind::f16) {
      std::vector<uint16_t> halves(values.size());
      float_to_half(values, halves);
      half_to_float(halves, values);
      bytes.resize(halves.size() * sizeof(uint16_t));
      std::memcpy(bytes.data(), halves.data(), bytes.size());
    } else {
      store_integers(random);
    }
    matrix.bytes = bytes.data();
  }

  void store_integers(std::mt19937& random) {
    const bool four_bits = matrix.kind == WeightKind::i4;
    std::uniform_int_distribution<int> integer(four_bits ? -8 : -128, four_bits ? 7 : 127);
    std::vector<int> integers(values.size());
    for (int& one : integers) one = integer(random);
    if (four_bits) {
      std::vector<float> scales(values.size() / kScaledBlock);
      for (float& scale : scales) scale = std::exp2(static_cast<float>(integer(random) / 4));
      block_scales.resize(scales.size());
      float_to_half(scales, block_scales);
      matrix.block_scales = reinterpret_cast<const std::byte*>(block_scales.data());
      for (size_t i = 0; i < values.size(); ++i) {
        values[i] = static_cast<float>(integers[i]) * scales[i / kScaledBlock];
      }
      for (size_t i = 0; i < values.size(); i += 2) {
        bytes.push_back(static_cast<std::byte>((integers[i] & 15) | (integers[i + 1] << 4)));
      }
      return;
    }
    matrix.row_scales = random_floats(matrix.rows, random);
    for (size_t i = 0; i < values.size(); ++i) {
      values[i] = static_cast<float>(integers[i]) * matrix.row_scales[i / matrix.columns];
      bytes.push_back(static_cast<std::byte>(integers[i]));
    }
  }

  StoredMatrix matrix;
  std::vector<float> values;
  std::vector<std::byte> bytes;  // exactly as many as there are: sanitizers see what reads past it
  std::vector<uint16_t> block_scales;
};

}  // namespace whisper_s4y
