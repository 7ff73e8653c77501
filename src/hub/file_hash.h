// SHA-256 of files.
#pragma once

#include <filesystem>
#include <string>

namespace whisper_s4y {

/// SHA-256 of the file's content as 64 lower-case hex digits. Throws Error when it cannot be read.
[[nodiscard]] std::string sha256_of_file(const std::filesystem::path& path);

}  // namespace whisper_s4y
