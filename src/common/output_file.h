// A file that appears under its name only when it is complete.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/unfinished_files.h"

namespace whisper_s4y {

/// Writes beside `path` and renames on commit(); without commit() nothing is left behind, nor
/// when the process is interrupted (remove_unfinished_files()), and a former file stays as it was.
/// A symbolic link is written through: it stays, and what it points to is replaced. A new file gets
/// the permissions that the process gives new files; one that is replaced hands on its own. All
/// errors (read-only folder, full disk, size limit) are thrown as Error naming `path`.
///
/// Past RLIMIT_FSIZE the system sends SIGXFSZ, which ends a process that does not ignore it; a
/// program that would rather have the Error ignores it.
class OutputFile {
 public:
  explicit OutputFile(const std::filesystem::path& path);
  /// Throws the Error of the constructor when `path` is a folder: for who has long work to do
  /// first.
  static void refuse_folder(const std::filesystem::path& path);
  /// Writes to an open file instead, whose descriptor the caller keeps; commit() only flushes.
  /// `path` is its name in messages.
  OutputFile(int descriptor, const std::filesystem::path& path);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  void write(std::span<const std::byte> bytes);
  void write(std::string_view text);
  /// Overwrites bytes already written, at `offset` from the beginning.
  void write_at(uint64_t offset, std::span<const std::byte> bytes);
  /// Number of bytes written so far.
  [[nodiscard]] uint64_t position() const { return position_; }
  /// Looks at the finished file before it gets its name: takes a descriptor that can be read, and
  /// throws what is wrong.
  using Check = std::function<void(int descriptor)>;
  /// Stores everything on the disk and renames into place, replacing an older file.
  void commit(const Check& check = {});

 private:
  void create();
  void flush();

  std::filesystem::path path_;    // as the caller names it
  std::filesystem::path target_;  // the same behind symbolic links
  std::string temporary_;
  std::optional<UnfinishedFile> unfinished_;
  int fd_ = -1;
  uint64_t position_ = 0;
  std::vector<std::byte> pending_;
};

}  // namespace whisper_s4y
