// A file mapped read-only into memory.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

namespace whisper_s4y {

/// Maps a regular file read-only. Throws Error when it cannot be opened, is not a regular file or
/// cannot be mapped. An empty file gives an empty span.
class MappedFile {
 public:
  explicit MappedFile(const std::filesystem::path& path);
  /// Maps an open file, whose descriptor the caller keeps. `path` is its name in messages.
  MappedFile(int descriptor, const std::filesystem::path& path);
  /// Maps a copy of bytes that are no file. `name` is theirs in messages.
  MappedFile(std::span<const std::byte> bytes, std::string_view name);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  [[nodiscard]] std::span<const std::byte> bytes() const { return {data_, size_}; }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  /// Gives the pages of `part` back to the system; they are read from disk again when touched.
  /// Keeps the resident memory of a streaming reader bounded. `part` must lie inside bytes(). A
  /// copy stays as it is.
  void release(std::span<const std::byte> part) const;

 private:
  std::filesystem::path path_;
  const std::byte* data_ = nullptr;
  size_t size_ = 0;
  bool is_copy_ = false;
};

}  // namespace whisper_s4y
