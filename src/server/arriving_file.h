// An upload that is read while it comes.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <istream>

#include "server/upload.h"
#include "whisper_s4y/audio.h"

namespace whisper_s4y::server {

/// The client is slower than whoever waits for it has patience.
class TooSlow : public std::exception {
 public:
  [[nodiscard]] const char* what() const noexcept override {
    return "The upload comes too slowly to be read meanwhile.";
  }
};

/// The rest of a stream, every byte of which is kept in an upload. To its reader it is a pipe.
class ArrivingFile : public ByteSource {
 public:
  /// Both outlive the object. read() throws TooSlow once it has waited so long in all.
  ArrivingFile(std::istream& stream, Upload& upload, std::chrono::duration<double> patience)
      : stream_(stream), upload_(upload), patience_(patience) {}

  /// Moves some more bytes into the upload; false at the end.
  bool take();
  [[nodiscard]] bool is_complete() const { return is_complete_; }

  size_t read(int64_t position, Span<std::byte> bytes) override;

 private:
  using Clock = std::chrono::steady_clock;

  std::istream& stream_;
  Upload& upload_;
  std::chrono::duration<double> patience_;
  std::chrono::duration<double> waited_{0};
  std::array<char, 1 << 15> piece_{};
  bool is_complete_ = false;
};

}  // namespace whisper_s4y::server
