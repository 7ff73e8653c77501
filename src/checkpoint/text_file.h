// Small text and JSON files beside the weights.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string_view>

#include "common/mapped_file.h"

namespace whisper_s4y {

/// A mapped text file of at most `limit` bytes; larger ones are refused before they are read.
class TextFile {
 public:
  TextFile(const std::filesystem::path& path, uint64_t limit);
  [[nodiscard]] std::string_view text() const;
  [[nodiscard]] const std::filesystem::path& path() const { return file_.path(); }

 private:
  MappedFile file_;
};

}  // namespace whisper_s4y
