// Paths that are to be opened.
#pragma once

#include <filesystem>

#include "common/fail.h"

namespace whisper_s4y {

/// The path; throws Error for one that names nothing.
inline const std::filesystem::path& named(const std::filesystem::path& path) {
  if (path.empty()) fail(ErrorCode::invalid_argument, "The path of the file is empty.");
  return path;
}

}  // namespace whisper_s4y
