// A file in the temporary folder that is gone with the object, or with the interrupted process.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "common/unfinished_files.h"

namespace whisper_s4y {

class TemporaryFile {
 public:
  /// An empty file; `purpose` becomes part of its name. Throws Error when there can be none.
  explicit TemporaryFile(const std::string& purpose);
  ~TemporaryFile();
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  std::optional<UnfinishedFile> unfinished_;
};

}  // namespace whisper_s4y
