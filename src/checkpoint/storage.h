// How stored numbers become float32.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "checkpoint/checkpoint.h"

namespace whisper_s4y {

/// Bytes that `elements` numbers of one row take; exact only for whole blocks of block formats.
[[nodiscard]] uint64_t stored_bytes(StorageType type, uint64_t elements);

/// Numbers that are stored together: 1, 2 for int4, or the block length of ggml's formats.
[[nodiscard]] uint64_t block_elements(StorageType type);

/// Converts out.size() stored numbers, without row scales. `stored` needs no alignment.
void to_float(StorageType type, std::span<const std::byte> stored, std::span<float> out);

}  // namespace whisper_s4y
