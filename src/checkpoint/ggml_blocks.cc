// Layouts and formulas: ggml/src/ggml-common.h (block_*) and ggml-quants.c (dequantize_row_*).
#include "checkpoint/ggml_blocks.h"

#include <array>
#include <cstring>

#include "common/fail.h"
#include "common/half.h"

namespace whisper_s4y {
namespace {

constexpr int kHalfBlock = 16;

// Bytes of one block, read in order.
class BlockBytes {
 public:
  explicit BlockBytes(const std::byte* at) : at_(reinterpret_cast<const uint8_t*>(at)) {}

  float half() {
    uint16_t bits;
    std::memcpy(&bits, take(2), 2);
    float value;
    half_to_float({&bits, 1}, {&value, 1});
    return value;
  }
  uint32_t u32() {
    uint32_t value;
    std::memcpy(&value, take(4), 4);
    return value;
  }
  const uint8_t* take(int count) {
    const uint8_t* part = at_;
    at_ += count;
    return part;
  }

 private:
  const uint8_t* at_;
};

void decode_q4_0(BlockBytes block, float* out) {
  const float d = block.half();
  const uint8_t* q = block.take(kHalfBlock);
  for (int i = 0; i < kHalfBlock; ++i) {
    out[i] = d * static_cast<float>((q[i] & 0xF) - 8);
    out[i + kHalfBlock] = d * static_cast<float>((q[i] >> 4) - 8);
  }
}

void decode_q4_1(BlockBytes block, float* out) {
  const float d = block.half();
  const float m = block.half();
  const uint8_t* q = block.take(kHalfBlock);
  for (int i = 0; i < kHalfBlock; ++i) {
    out[i] = d * static_cast<float>(q[i] & 0xF) + m;
    out[i + kHalfBlock] = d * static_cast<float>(q[i] >> 4) + m;
  }
}

int fifth_bit(uint32_t high, int element) { return static_cast<int>(high >> element & 1U) << 4; }

void decode_q5_0(BlockBytes block, float* out) {
  const float d = block.half();
  const uint32_t high = block.u32();
  const uint8_t* q = block.take(kHalfBlock);
  for (int i = 0; i < kHalfBlock; ++i) {
    out[i] = d * static_cast<float>(((q[i] & 0xF) | fifth_bit(high, i)) - 16);
    out[i + kHalfBlock] =
        d * static_cast<float>(((q[i] >> 4) | fifth_bit(high, i + kHalfBlock)) - 16);
  }
}

void decode_q5_1(BlockBytes block, float* out) {
  const float d = block.half();
  const float m = block.half();
  const uint32_t high = block.u32();
  const uint8_t* q = block.take(kHalfBlock);
  for (int i = 0; i < kHalfBlock; ++i) {
    out[i] = d * static_cast<float>((q[i] & 0xF) | fifth_bit(high, i)) + m;
    out[i + kHalfBlock] = d * static_cast<float>((q[i] >> 4) | fifth_bit(high, i + kHalfBlock)) + m;
  }
}

void decode_q8_0(BlockBytes block, float* out) {
  const float d = block.half();
  const uint8_t* q = block.take(2 * kHalfBlock);
  for (int i = 0; i < 2 * kHalfBlock; ++i) {
    out[i] = d * static_cast<float>(static_cast<int8_t>(q[i]));
  }
}

// The K formats: 256 numbers in two halves of 128. In q2, q3 the bits of number 32 k + l of a half
// are bits 2 k and 2 k + 1 of byte l; every 16 numbers have a scale.
void decode_q2_k(BlockBytes block, float* out) {
  const uint8_t* scales = block.take(16);
  const uint8_t* q = block.take(64);
  const float d = block.half();
  const float m = block.half();
  for (int i = 0; i < 256; ++i) {
    const uint8_t scale = scales[i / 16];
    const int bits = q[i / 128 * 32 + i % 32] >> (i % 128 / 32 * 2) & 3;
    out[i] = d * static_cast<float>(scale & 0xF) * static_cast<float>(bits) -
             m * static_cast<float>(scale >> 4);
  }
}

// The 16 scales have 6 bits: four in bytes 0 to 7, two in bytes 8 to 11.
int q3_scale(const uint8_t* packed, int index) {
  const int low = packed[index % 8] >> (index / 8 * 4) & 0xF;
  const int high = packed[8 + index % 4] >> (index / 4 * 2) & 3;
  return (low | high << 4) - 32;
}

void decode_q3_k(BlockBytes block, float* out) {
  const uint8_t* mask = block.take(32);
  const uint8_t* q = block.take(64);
  const uint8_t* scales = block.take(12);
  const float d = block.half();
  for (int i = 0; i < 256; ++i) {
    const int bits = q[i / 128 * 32 + i % 32] >> (i % 128 / 32 * 2) & 3;
    const int high = mask[i % 32] >> (i / 32) & 1;
    out[i] = d * static_cast<float>(q3_scale(scales, i / 16)) *
             static_cast<float>(bits - (high != 0 ? 0 : 4));
  }
}

struct ScaleAndMin {
  float scale, min;
};

// Eight pairs of 6 bits in 12 bytes (ggml-quants.c: get_scale_min_k4).
ScaleAndMin k4_scale(const uint8_t* packed, int index) {
  if (index < 4) {
    return {static_cast<float>(packed[index] & 63), static_cast<float>(packed[index + 4] & 63)};
  }
  const int scale = (packed[index + 4] & 0xF) | (packed[index - 4] >> 6) << 4;
  const int min = (packed[index + 4] >> 4) | (packed[index] >> 6) << 4;
  return {static_cast<float>(scale), static_cast<float>(min)};
}

// Every 32 numbers have a scale and a minimum; each 64 share 32 bytes, low nibbles first.
void decode_q4_k(BlockBytes block, float* out) {
  const float d = block.half();
  const float m = block.half();
  const uint8_t* scales = block.take(12);
  const uint8_t* q = block.take(128);
  for (int group = 0; group < 8; ++group) {
    const auto [scale, min] = k4_scale(scales, group);
    const float step = d * scale;
    const float offset = m * min;
    for (int l = 0; l < 32; ++l) {
      const int bits = q[group / 2 * 32 + l] >> (group % 2 * 4) & 0xF;
      out[group * 32 + l] = step * static_cast<float>(bits) - offset;
    }
  }
}

void decode_q5_k(BlockBytes block, float* out) {
  const float d = block.half();
  const float m = block.half();
  const uint8_t* scales = block.take(12);
  const uint8_t* high = block.take(32);
  const uint8_t* q = block.take(128);
  for (int group = 0; group < 8; ++group) {
    const auto [scale, min] = k4_scale(scales, group);
    const float step = d * scale;
    const float offset = m * min;
    for (int l = 0; l < 32; ++l) {
      const int bits = (q[group / 2 * 32 + l] >> (group % 2 * 4) & 0xF) | (high[l] >> group & 1)
                                                                              << 4;
      out[group * 32 + l] = step * static_cast<float>(bits) - offset;
    }
  }
}

// In each half of 128: number 32 k + l has its low bits in nibble k / 2 of byte 32 (k % 2) + l and
// its high bits in bits 2 k, 2 k + 1 of high byte l.
void decode_q6_k(BlockBytes block, float* out) {
  const uint8_t* low = block.take(128);
  const uint8_t* high = block.take(64);
  const uint8_t* scales = block.take(16);
  const float d = block.half();
  for (int i = 0; i < 256; ++i) {
    const int half = i / 128;
    const int k = i % 128 / 32;
    const int l = i % 32;
    const int bits = (low[half * 64 + k % 2 * 32 + l] >> (k / 2 * 4) & 0xF) |
                     (high[half * 32 + l] >> (2 * k) & 3) << 4;
    out[i] =
        d * static_cast<float>(static_cast<int8_t>(scales[i / 16])) * static_cast<float>(bits - 32);
  }
}

template <typename Decode>
void for_each_block(StorageType type, const std::byte* stored, std::span<float> out,
                    Decode decode) {
  const BlockFormat format = block_format(type);
  for (size_t i = 0; i < out.size(); i += format.elements, stored += format.bytes) {
    decode(BlockBytes(stored), out.data() + i);
  }
}

}  // namespace

BlockFormat block_format(StorageType type) {
  switch (type) {
    case StorageType::q4_0:
      return {32, 18};
    case StorageType::q4_1:
      return {32, 20};
    case StorageType::q5_0:
      return {32, 22};
    case StorageType::q5_1:
      return {32, 24};
    case StorageType::q8_0:
      return {32, 34};
    case StorageType::q2_k:
      return {256, 84};
    case StorageType::q3_k:
      return {256, 110};
    case StorageType::q4_k:
      return {256, 144};
    case StorageType::q5_k:
      return {256, 176};
    case StorageType::q6_k:
      return {256, 210};
    default:
      return {0, 0};
  }
}

void decode_blocks(StorageType type, std::span<const std::byte> stored, std::span<float> out) {
  switch (type) {
    case StorageType::q4_0:
      return for_each_block(type, stored.data(), out, decode_q4_0);
    case StorageType::q4_1:
      return for_each_block(type, stored.data(), out, decode_q4_1);
    case StorageType::q5_0:
      return for_each_block(type, stored.data(), out, decode_q5_0);
    case StorageType::q5_1:
      return for_each_block(type, stored.data(), out, decode_q5_1);
    case StorageType::q8_0:
      return for_each_block(type, stored.data(), out, decode_q8_0);
    case StorageType::q2_k:
      return for_each_block(type, stored.data(), out, decode_q2_k);
    case StorageType::q3_k:
      return for_each_block(type, stored.data(), out, decode_q3_k);
    case StorageType::q4_k:
      return for_each_block(type, stored.data(), out, decode_q4_k);
    case StorageType::q5_k:
      return for_each_block(type, stored.data(), out, decode_q5_k);
    case StorageType::q6_k:
      return for_each_block(type, stored.data(), out, decode_q6_k);
    default:
      fail("{} is not a block format.", name_of(type));
  }
}

}  // namespace whisper_s4y
