#include "checkpoint/storage.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "checkpoint/ggml_blocks.h"
#include "common/fail.h"
#include "common/half.h"

namespace whisper_s4y {
namespace {

// Applies `convert` to aligned copies: formats without padding put numbers at any address, and a
// piece that stays in the first-level cache costs next to nothing.
template <typename Stored, typename Convert>
void convert_pieces(std::span<const std::byte> stored, std::span<float> out, Convert&& convert) {
  std::array<Stored, 4096 / sizeof(Stored)> piece;
  for (size_t i = 0; i < out.size(); i += piece.size()) {
    const size_t count = std::min(piece.size(), out.size() - i);
    std::memcpy(piece.data(), stored.data() + i * sizeof(Stored), count * sizeof(Stored));
    convert(std::span<const Stored>(piece.data(), count), out.subspan(i, count));
  }
}

template <typename Stored>
void widen(std::span<const Stored> in, std::span<float> out) {
  for (size_t i = 0; i < in.size(); ++i) out[i] = static_cast<float>(in[i]);
}

// What is beyond float32 becomes infinite, which shows when the model is verified.
void narrow(std::span<const double> in, std::span<float> out) {
  for (size_t i = 0; i < in.size(); ++i) out[i] = static_cast<float>(in[i]);
}

void widen_int4(std::span<const std::byte> in, std::span<float> out) {
  for (size_t i = 0; i < in.size(); ++i) {
    const auto pair = std::to_integer<uint8_t>(in[i]);
    // Shifting up and down again spreads the sign.
    out[2 * i] = static_cast<float>(static_cast<int8_t>(pair << 4) >> 4);
    out[2 * i + 1] = static_cast<float>(static_cast<int8_t>(pair) >> 4);
  }
}

}  // namespace

std::string_view name_of(StorageType type) {
  constexpr std::string_view kNames[] = {
      "float32", "float64", "float16", "bfloat16", "int8", "int16", "int4", "q4_0", "q4_1",
      "q5_0",    "q5_1",    "q8_0",    "q2_K",     "q3_K", "q4_K",  "q5_K", "q6_K"};
  return kNames[static_cast<size_t>(type)];
}

uint64_t block_elements(StorageType type) {
  if (type == StorageType::i4) return 2;
  return std::max<uint64_t>(1, block_format(type).elements);
}

uint64_t stored_bytes(StorageType type, uint64_t elements) {
  switch (type) {
    case StorageType::f64:
      return elements * 8;
    case StorageType::f32:
      return elements * 4;
    case StorageType::f16:
    case StorageType::bf16:
    case StorageType::i16:
      return elements * 2;
    case StorageType::i8:
      return elements;
    case StorageType::i4:
      return elements / 2;
    default: {
      const BlockFormat format = block_format(type);
      return elements / format.elements * format.bytes;
    }
  }
}

void to_float(StorageType type, std::span<const std::byte> stored, std::span<float> out) {
  if (out.size() % block_elements(type) != 0 || stored.size() != stored_bytes(type, out.size())) {
    fail("{} bytes of {} do not hold {} numbers.", stored.size(), name_of(type), out.size());
  }
  switch (type) {
    case StorageType::f32:
      if (!out.empty()) std::memcpy(out.data(), stored.data(), stored.size());
      return;
    case StorageType::f64:
      return convert_pieces<double>(stored, out, narrow);
    case StorageType::f16:
      return convert_pieces<uint16_t>(stored, out, half_to_float);
    case StorageType::bf16:
      return convert_pieces<uint16_t>(stored, out, bfloat16_to_float);
    case StorageType::i8:
      return convert_pieces<int8_t>(stored, out, widen<int8_t>);
    case StorageType::i16:
      return convert_pieces<int16_t>(stored, out, widen<int16_t>);
    case StorageType::i4:
      return widen_int4(stored, out);
    default:
      return decode_blocks(type, stored, out);
  }
}

}  // namespace whisper_s4y
