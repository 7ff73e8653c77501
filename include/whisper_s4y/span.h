// A view of numbers that lie one after the other: std::span for C++17.
//
//   std::vector<float> samples = whisper_s4y::load_audio("talk.mp4");
//   auto transcript = transcriber.transcribe(samples);          // anything with data() and size()
//   transcript = transcriber.transcribe({samples.data(), 16000});             // its first second
#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>

#if __cplusplus >= 202002L
#include <ranges>
#endif

namespace whisper_s4y {

/// Does not own the elements. In C++20 it becomes a std::span, and is made from one, unasked.
template <typename T>
class Span {
 public:
  using element_type = T;
  using value_type = std::remove_cv_t<T>;

  constexpr Span() noexcept = default;
  constexpr Span(T* data, size_t size) noexcept : data_(data), size_(size) {}
  template <size_t N>
  constexpr Span(T (&array)[N]) noexcept : data_(array), size_(N) {}
  /// Of a vector, an array, a string, another Span: whatever has data() and size().
  template <typename Container, typename Data = decltype(std::declval<Container&>().data()),
            typename = decltype(std::declval<Container&>().size()),
            typename = std::enable_if_t<
                !std::is_same_v<std::remove_cv_t<std::remove_reference_t<Container>>, Span> &&
                std::is_convertible_v<std::remove_pointer_t<Data> (*)[], T (*)[]>>>
  constexpr Span(Container&& container) noexcept
      : data_(container.data()), size_(container.size()) {}

  [[nodiscard]] constexpr T* data() const noexcept { return data_; }
  [[nodiscard]] constexpr size_t size() const noexcept { return size_; }
  [[nodiscard]] constexpr bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] constexpr T* begin() const noexcept { return data_; }
  [[nodiscard]] constexpr T* end() const noexcept { return data_ + size_; }
  [[nodiscard]] constexpr T& operator[](size_t index) const { return data_[index]; }

  /// Parts; nothing is checked.
  [[nodiscard]] constexpr Span first(size_t count) const { return {data_, count}; }
  [[nodiscard]] constexpr Span last(size_t count) const { return {data_ + (size_ - count), count}; }
  [[nodiscard]] constexpr Span subspan(size_t begin) const {
    return {data_ + begin, size_ - begin};
  }
  [[nodiscard]] constexpr Span subspan(size_t begin, size_t count) const {
    return {data_ + begin, count};
  }

 private:
  T* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace whisper_s4y

#if __cplusplus >= 202002L
// NOLINTBEGIN(readability-identifier-naming): the standard has named these
template <typename T>
inline constexpr bool std::ranges::enable_borrowed_range<whisper_s4y::Span<T>> = true;
template <typename T>
inline constexpr bool std::ranges::enable_view<whisper_s4y::Span<T>> = true;
// NOLINTEND(readability-identifier-naming)
#endif
