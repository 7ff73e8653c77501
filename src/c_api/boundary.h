// The edge of the C API: exceptions become a status and a sentence, results become C's.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <exception>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include "common/fail.h"
#include "whisper_s4y/whisper_s4y.h"

namespace whisper_s4y::c_api {

/// The status of the current exception, whose sentence whisper_s4y_last_error() has from now on.
[[nodiscard]] whisper_s4y_status status_of_current_exception() noexcept;

/// The body of a function of the C API.
template <typename Body>
whisper_s4y_status guarded_call(Body&& body) noexcept {
  try {
    body();
    return WHISPER_S4Y_OK;
  } catch (...) {
    return status_of_current_exception();
  }
}

/// Throws Error when an argument that must be there is NULL.
template <typename T>
T& needed(T* pointer, std::string_view name) {
  if (pointer == nullptr) fail(ErrorCode::invalid_argument, "The argument {} is NULL.", name);
  return *pointer;
}

/// A text that must be there.
inline std::string needed_text(const char* text, std::string_view name) {
  return &needed(text, name);
}

/// `count` numbers, which may be none.
template <typename T>
std::span<const T> numbers(const T* data, size_t count, std::string_view name) {
  if (count > 0) needed(data, name);
  return {data, count};
}

/// Memory that whisper_s4y_free() frees.
[[nodiscard]] void* allocate(size_t bytes);

/// A copy of a text.
[[nodiscard]] char* copy_text(std::string_view text);

/// A copy of numbers or the like.
template <typename T>
[[nodiscard]] T* copy_array(std::span<const T> values) {
  static_assert(std::is_trivially_copyable_v<T>);
  auto* copy = static_cast<T*>(allocate(values.size_bytes()));
  if (!values.empty()) std::memcpy(copy, values.data(), values.size_bytes());
  return copy;
}

/// Throws Error when a struct is not there or does not say how large it is.
template <typename T>
void check_struct_size(const T* target, std::string_view name) {
  const size_t size = needed(target, name).struct_size;
  if (size < sizeof(size_t)) {
    fail(ErrorCode::invalid_argument, "{}: struct_size is {}; it must be the struct's size.", name,
         size);
  }
}

/// Fills as much of a struct as its owner knows.
template <typename T>
void give(T* target, const T& values, std::string_view name) {
  check_struct_size(target, name);
  std::memcpy(reinterpret_cast<std::byte*>(target) + sizeof(size_t),
              reinterpret_cast<const std::byte*>(&values) + sizeof(size_t),
              std::min(target->struct_size, sizeof(T)) - sizeof(size_t));
}

/// As much of a struct as its owner knows, zeros behind; all zeros for NULL.
template <typename T>
T taken(const T* source, std::string_view name) {
  T values{};
  if (source == nullptr) return values;
  check_struct_size(source, name);
  std::memcpy(&values, source, std::min(source->struct_size, sizeof(T)));
  return values;
}

}  // namespace whisper_s4y::c_api
