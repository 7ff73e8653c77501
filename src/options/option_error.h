// How an impossible option is told of: in the library by the names of fields, on the command line
// by those of flags.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "common/fail.h"

namespace whisper_s4y {

/// An impossible option, or one that the model is not made for. what() has the names of the
/// library, usage() those of the command line, where it is wrong usage.
class OptionError : public Error {
 public:
  OptionError(const std::string& message, const std::string& usage, std::string_view field = {},
              ErrorCode code = ErrorCode::invalid_argument)
      : Error(code, message), usage_(one_line(usage)), field_(field) {}

  [[nodiscard]] const std::string& usage() const { return usage_; }
  /// The field it is about, the first one of several; empty: not told.
  [[nodiscard]] const std::string& field() const { return field_; }

 private:
  std::string usage_;
  std::string field_;
};

/// What a field of an option struct is called.
struct OptionName {
  std::string_view field;
  std::string_view flag = {};  // empty: as the field, --with-dashes

  [[nodiscard]] std::string on_command_line() const {
    if (!flag.empty()) return std::string(flag);
    std::string name = "--";
    for (const char c : field) name += c == '_' ? '-' : c;
    return name;
  }
};

namespace options_detail {

template <typename T>
using Shown = std::conditional_t<std::is_same_v<T, OptionName>, std::string, T>;

template <bool kUsage, typename T>
Shown<T> shown(const T& value) {
  if constexpr (!std::is_same_v<T, OptionName>) {
    return value;
  } else {
    return kUsage ? value.on_command_line() : std::string(value.field);
  }
}

template <typename T>
std::string_view field_of(const T& value) {
  if constexpr (std::is_same_v<T, OptionName>) {
    return value.field;
  } else {
    return {};
  }
}

template <typename... Args>
std::string_view first_field(const Args&... args) {
  std::string_view first;
  ((first = first.empty() ? field_of(args) : first), ...);
  return first;
}

}  // namespace options_detail

/// Throws OptionError; OptionNames among the arguments are spelled for the reader.
template <typename... Args>
[[noreturn]] void fail_option(fmt::format_string<options_detail::Shown<Args>...> format,
                              const Args&... args) {
  throw OptionError(fmt::format(format, options_detail::shown<false>(args)...),
                    fmt::format(format, options_detail::shown<true>(args)...),
                    options_detail::first_field(args...));
}

/// The same about a field whose value is possible, but not with this model.
template <typename... Args>
[[noreturn]] void fail_unsupported(std::string_view field, fmt::format_string<Args...> format,
                                   Args&&... args) {
  const std::string message = fmt::format(format, std::forward<Args>(args)...);
  throw OptionError(message, message, field, ErrorCode::unsupported);
}

}  // namespace whisper_s4y
