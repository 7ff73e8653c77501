// How matrices lie while many rows are multiplied with them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace whisper_s4y {

/// A panel is so many outputs: for each step of one float, two integers of 16 bits or four of 8
/// first those of output 0, then of output 1 and so on.
inline constexpr size_t kPanelOutputs = 64;

/// Rows of activations that are multiplied at once. Memory of rows is filled up to a multiple.
inline constexpr size_t kTileRows = 6;

/// Rounded up to whole ones.
constexpr size_t whole(size_t count, size_t of) { return (count + of - 1) / of * of; }

/// Memory where no vector crosses a line of the cache.
class CacheLines {
 public:
  /// For `count` numbers; what was there is lost. Only grows.
  template <typename Number>
  Number* room(size_t count) {
    const size_t lines = (count * sizeof(Number) + sizeof(Line) - 1) / sizeof(Line);
    if (lines_.size() < lines) lines_.assign(lines, {});
    return at<Number>();
  }
  template <typename Number>
  [[nodiscard]] Number* at() {
    return reinterpret_cast<Number*>(lines_.data());
  }
  template <typename Number>
  [[nodiscard]] const Number* at() const {
    return reinterpret_cast<const Number*>(lines_.data());
  }

 private:
  struct alignas(64) Line {
    std::byte bytes[64];
  };
  std::vector<Line> lines_;
};

}  // namespace whisper_s4y
