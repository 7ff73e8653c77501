// Where FFmpeg reads a file's bytes from: memory, a descriptor or the caller, never a name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "audio/ffmpeg.h"
#include "whisper_s4y/audio.h"

namespace whisper_s4y {

/// A file or pipe as FFmpeg's byte stream. FFmpeg gets no name it could open, nor a protocol.
class ByteStream {
 public:
  /// "-" is standard input. Throws Error with one sentence when there is nothing to read.
  explicit ByteStream(const std::filesystem::path& path);
  /// `file` outlives the object.
  ByteStream(std::span<const std::byte> file, std::string_view name);
  ByteStream(std::shared_ptr<ByteSource> file, std::string_view name);
  ~ByteStream() = default;
  ByteStream(const ByteStream&) = delete;
  ByteStream& operator=(const ByteStream&) = delete;

  [[nodiscard]] AVIOContext* io() const { return io_.get(); }
  /// The file's name for messages.
  [[nodiscard]] const std::string& name() const { return name_; }
  /// What the name ends in tells formats apart that have no mark of their own.
  [[nodiscard]] const std::string& file_name() const { return file_name_; }
  /// False for pipes, from which formats with their index at the end cannot be read.
  [[nodiscard]] bool seekable() const { return seekable_; }
  /// Bytes of a file; 0 for pipes.
  [[nodiscard]] int64_t size() const { return size_; }
  /// Back to the first byte, with nothing left of what FFmpeg did with io(). Only when seekable().
  void rewind();
  /// Bytes from `offset` on, fewer at the end; of a pipe those at its beginning that were read.
  /// Does not move the stream.
  [[nodiscard]] std::vector<uint8_t> peek(int64_t offset, size_t count) const;
  /// Throws what the caller's source has thrown while FFmpeg read, if anything.
  void rethrow() const;

 private:
  struct IoFreer {
    void operator()(AVIOContext* io) const;
  };

  void measure();
  void make_io();
  static int read(void* self, uint8_t* out, int size);
  static int64_t seek(void* self, int64_t offset, int whence);

  std::string name_;
  std::string file_name_;
  std::shared_ptr<ByteSource> source_;
  bool seekable_ = false;  // memory and files
  int64_t size_ = 0;       // when seekable
  int64_t position_ = 0;
  std::vector<uint8_t> head_;   // of a pipe
  std::exception_ptr failure_;  // of the source
  std::unique_ptr<AVIOContext, IoFreer> io_;
};

}  // namespace whisper_s4y
