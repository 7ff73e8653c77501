// The body of a request as it comes, within its limits.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <istream>
#include <span>
#include <streambuf>
#include <string>

namespace whisper_s4y::server {

/// Waits for a byte and reads what has come with it, up to a full `piece`; 0 at the end.
[[nodiscard]] std::streamsize read_some(std::istream& stream, std::span<char> piece);

/// Reads what the HTTP library gives out, no further than `most` bytes, and remembers why it ended:
/// parsers over streams take every failure for the end.
class BodyBuffer : public std::streambuf {
 public:
  /// `length` as the header states it; negative: it does not. `check` is called before every piece
  /// and throws to give up.
  BodyBuffer(std::istream& source, int64_t length, int64_t most, std::function<void()> check);

  /// Throws why the body ended before its end: ApiError (413 too large, 408 too slow), ClientGone,
  /// or what `check` threw.
  void rethrow() const;
  /// Bytes that were read.
  [[nodiscard]] int64_t size() const { return size_; }
  /// Whether all of it was read.
  [[nodiscard]] bool is_complete() const { return at_end_ && !failure_; }
  /// Whether the last bytes that were read end in `text`, up to `slack` bytes after it.
  [[nodiscard]] bool ends_in(std::string_view text, size_t slack) const;
  /// The whole body as text, at most so many bytes. Throws as rethrow(), and ApiError (413).
  [[nodiscard]] std::string read_text(size_t most);

 protected:
  int_type underflow() override;

 private:
  std::istream& source_;
  int64_t length_;
  int64_t most_;
  std::function<void()> check_;
  std::array<char, 1 << 15> buffer_{};
  std::string tail_;  // of what was read
  int64_t size_ = 0;
  bool at_end_ = false;
  std::exception_ptr failure_;
};

}  // namespace whisper_s4y::server
