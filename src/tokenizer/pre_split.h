// Cuts text into the pieces inside which byte pairs are merged.
#pragma once

#include <cstddef>
#include <string_view>

namespace whisper_s4y {

/// Bytes of the first piece of `text`, which is not empty, by the pattern of GPT-2:
///   's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
/// Bytes that are not UTF-8 count as symbols.
[[nodiscard]] size_t first_piece(std::string_view text);

}  // namespace whisper_s4y
