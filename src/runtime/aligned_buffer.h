// Host memory that LiteRT and XNNPACK read and write without copies.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <utility>

#include "whisper_s4y/tensor.h"

namespace whisper_s4y {

/// Zeroed memory for one tensor, 64-byte aligned as LiteRT demands, and readable 128 bytes past its
/// end as XNNPACK's kernels may (XNN_EXTRA_BYTES). Keeps its address when moved.
class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  explicit AlignedBuffer(size_t bytes);
  explicit AlignedBuffer(const TensorInfo& tensor) : AlignedBuffer(tensor.bytes()) {}
  AlignedBuffer(AlignedBuffer&& other) noexcept
      : data_(std::move(other.data_)), size_(std::exchange(other.size_, 0)) {}
  AlignedBuffer& operator=(AlignedBuffer&& other) noexcept {
    data_ = std::move(other.data_);
    size_ = std::exchange(other.size_, 0);
    return *this;
  }

  [[nodiscard]] size_t size() const { return size_; }
  [[nodiscard]] std::byte* data() { return data_.get(); }
  [[nodiscard]] const std::byte* data() const { return data_.get(); }

  /// The memory as size() / sizeof(T) numbers.
  template <typename T>
  [[nodiscard]] std::span<T> as() {
    return {reinterpret_cast<T*>(data_.get()), size_ / sizeof(T)};
  }
  template <typename T>
  [[nodiscard]] std::span<const T> as() const {
    return {reinterpret_cast<const T*>(data_.get()), size_ / sizeof(T)};
  }

 private:
  struct Free {
    void operator()(std::byte* data) const;
  };
  std::unique_ptr<std::byte, Free> data_;
  size_t size_ = 0;
};

}  // namespace whisper_s4y
