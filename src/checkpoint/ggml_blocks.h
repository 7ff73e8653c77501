// The block formats of ggml: quantised weights in groups with scales of their own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "checkpoint/checkpoint.h"

namespace whisper_s4y {

struct BlockFormat {
  uint64_t elements;  // 32, or 256 for the K formats
  uint64_t bytes;     // of one block
};

/// All zeros for types that are not block formats.
[[nodiscard]] BlockFormat block_format(StorageType type);

/// Decodes whole blocks: out.size() is a multiple of the block length.
void decode_blocks(StorageType type, std::span<const std::byte> stored, std::span<float> out);

}  // namespace whisper_s4y
