// The standard output and the standard error, for everything that the program prints.
#pragma once

#include <fmt/format.h>

#include <string_view>
#include <utility>

namespace whisper_s4y {

/// Thrown when nobody reads the standard output any more (`| head`): the program ends without a
/// word and with the exit code of SIGPIPE, as others do.
struct OutputClosed {};

/// Opens those of the descriptors 0 to 2 that are closed, so that no file the program opens gets
/// their numbers and what is printed. Reading and writing them fails as if they were closed still.
void reserve_standard_descriptors();

/// Writes to the standard output. Throws Error when that fails, and OutputClosed.
void write_out(std::string_view text);
/// Hands on what is still in memory; throws as write_out().
void flush_out();
/// Writes to the standard error. What cannot be written is lost; nothing that can be done ends
/// because nobody reads of it.
void write_err(std::string_view text) noexcept;

/// The same for a formatted text.
template <typename... Args>
void print_out(fmt::format_string<Args...> format, Args&&... args) {
  write_out(fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void print_err(fmt::format_string<Args...> format, Args&&... args) {
  write_err(fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace whisper_s4y
