// A file that a client sends: kept in memory while it is small, else in a file without a name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "whisper_s4y/audio.h"

namespace whisper_s4y::server {

/// Bytes are appended, then read.
class Upload : public ByteSource {
 public:
  static constexpr size_t kMostInMemory = size_t{8} << 20;  // bytes

  /// `folder` is where a large upload is kept; empty: $TMPDIR, or /tmp.
  explicit Upload(std::filesystem::path folder);
  ~Upload() override;
  Upload(const Upload&) = delete;
  Upload& operator=(const Upload&) = delete;

  /// Throws ApiError (507) when there is no room.
  void append(std::span<const std::byte> bytes);

  [[nodiscard]] std::optional<int64_t> size() const override { return size_; }
  size_t read(int64_t position, Span<std::byte> bytes) override;

 private:
  void move_to_file();

  std::filesystem::path folder_;
  std::vector<std::byte> memory_;
  int descriptor_ = -1;  // of the file, once there is one
  int64_t size_ = 0;
};

}  // namespace whisper_s4y::server
