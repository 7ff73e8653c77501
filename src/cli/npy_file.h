// NumPy's .npy files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "common/output_file.h"

namespace whisper_s4y {

/// Begins a .npy file (format 1.0) of float32 in C order; the numbers are to follow.
void write_npy_header(OutputFile& file, const std::vector<int64_t>& shape);

/// Appends numbers, little-endian.
void write_npy_numbers(OutputFile& file, std::span<const float> numbers);

}  // namespace whisper_s4y
