// Hashes of files, as hubs name them.
#pragma once

#include <filesystem>
#include <string>

namespace whisper_s4y {

/// SHA-256 of the file's content as 64 lower-case hex digits. Throws Error when it cannot be read.
[[nodiscard]] std::string sha256_of_file(const std::filesystem::path& path);

/// The id that Git gives the file's content: SHA-1 of "blob SIZE", a NUL and the content, as 40
/// lower-case hex digits. Throws Error when it cannot be read.
[[nodiscard]] std::string git_blob_id_of_file(const std::filesystem::path& path);

}  // namespace whisper_s4y
