// Little-endian numbers and byte runs read in order, never past the end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "common/fail.h"

namespace whisper_s4y {

/// Every read names what it reads, so that a truncated file is reported as "source is truncated:
/// WHAT at byte N needs ...". All formats are little-endian, as are the machines we run on.
class ByteReader {
 public:
  ByteReader(std::span<const std::byte> bytes, std::string source)
      : bytes_(bytes), source_(std::move(source)) {}

  [[nodiscard]] uint64_t offset() const { return offset_; }
  [[nodiscard]] uint64_t remaining() const { return bytes_.size() - offset_; }
  [[nodiscard]] const std::string& source() const { return source_; }

  std::span<const std::byte> take(uint64_t count, std::string_view what) {
    if (count > remaining()) {
      fail("{} is truncated: {} at byte {} needs {} bytes, {} are left; the file is not complete.",
           source_, what, offset_, count, remaining());
    }
    const auto part = bytes_.subspan(offset_, count);
    offset_ += count;
    return part;
  }

  template <typename Number>
  Number read(std::string_view what) {
    static_assert(std::is_arithmetic_v<Number>);
    Number number;
    std::memcpy(&number, take(sizeof(Number), what).data(), sizeof(Number));
    return number;
  }

  std::string_view text(uint64_t length, std::string_view what) {
    const auto part = take(length, what);
    return {reinterpret_cast<const char*>(part.data()), part.size()};
  }

  void seek(uint64_t offset, std::string_view what) {
    if (offset > bytes_.size()) {
      fail("{} is truncated: {} is said to begin at byte {}, the file has {}.", source_, what,
           offset, bytes_.size());
    }
    offset_ = offset;
  }

 private:
  std::span<const std::byte> bytes_;
  std::string source_;
  uint64_t offset_ = 0;
};

}  // namespace whisper_s4y
