// Arrays in NumPy's file format.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

namespace whisper_s4y {

/// Writes `values`, row-major, as a float32 .npy file of the given shape (format version 1.0).
/// Throws Error when the shape does not hold exactly `values` or the file cannot be written.
void write_npy(const std::filesystem::path& path, std::span<const int64_t> shape,
               std::span<const float> values);

}  // namespace whisper_s4y
