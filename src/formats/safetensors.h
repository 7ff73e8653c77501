// The safetensors container: a JSON header, then the numbers.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "checkpoint/checkpoint.h"

namespace whisper_s4y {

/// The tensors of one safetensors file under the names of the file, in the order of their data.
/// Throws Error for anything the format does not allow: truncated, overlapping or mis-sized
/// tensors, duplicate names, trailing bytes. Numbers other than F64, F32, F16 and BF16 are not
/// read: such tensors have their type's name and no bytes.
[[nodiscard]] std::vector<TensorView> read_safetensors(const std::filesystem::path& path);
/// The same for the bytes of a file, which outlive the views. `source` is its name in messages.
[[nodiscard]] std::vector<TensorView> read_safetensors(std::span<const std::byte> bytes,
                                                       const std::string& source);

}  // namespace whisper_s4y
