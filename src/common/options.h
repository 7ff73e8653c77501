// What the fields of option structs may be, and what they are called.
//
// Each struct has one table of its numbers, which its validate() checks. Messages name a field as
// the reader knows it: in the library `patience`, on the command line --patience.
#pragma once

#include <fmt/format.h>

#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "common/fail.h"

namespace whisper_s4y {

/// An impossible option. what() has the names of the library, usage() those of the command line,
/// where it is wrong usage.
class OptionError : public Error {
 public:
  OptionError(const std::string& message, const std::string& usage)
      : Error(ErrorCode::invalid_argument, message), usage_(one_line(usage)) {}

  [[nodiscard]] const std::string& usage() const { return usage_; }

 private:
  std::string usage_;
};

/// A field of an option struct.
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

}  // namespace options_detail

/// Throws OptionError; OptionNames among the arguments are spelled for the reader.
template <typename... Args>
[[noreturn]] void fail_option(fmt::format_string<options_detail::Shown<Args>...> format,
                              const Args&... args) {
  throw OptionError(fmt::format(format, options_detail::shown<false>(args)...),
                    fmt::format(format, options_detail::shown<true>(args)...));
}

inline constexpr double kNoLimit = std::numeric_limits<double>::infinity();

/// A numeric field of a struct, or the numbers of a list, and the bounds, which are allowed too.
template <typename Options>
struct NumberOption {
  OptionName name;
  double least;
  double most;  // kNoLimit: any, infinity too
  std::vector<double> (*numbers)(const Options& options);
  std::string (*text)(double number);  // as the field's type has it
};

namespace options_detail {

template <typename T>
void append(std::vector<double>& numbers, T value) {
  numbers.push_back(static_cast<double>(value));
}
template <typename T>
void append(std::vector<double>& numbers, const std::optional<T>& value) {
  if (value) numbers.push_back(static_cast<double>(*value));
}
template <typename T>
void append(std::vector<double>& numbers, const std::vector<T>& values) {
  for (const T value : values) numbers.push_back(static_cast<double>(value));
}

template <typename Options, typename Field>
Options struct_of(Field Options::*);

template <typename T>
struct NumberOf {
  using Type = T;
};
template <typename T>
struct NumberOf<std::optional<T>> : NumberOf<T> {};
template <typename T>
struct NumberOf<std::vector<T>> : NumberOf<T> {};

}  // namespace options_detail

/// A row of a table: number_option<&VadOptions::threshold>({"threshold"}, 0.0, 1.0).
template <auto kField>
constexpr auto number_option(OptionName name, double least, double most) {
  using Options = decltype(options_detail::struct_of(kField));
  using Field = std::remove_cvref_t<decltype(std::declval<Options>().*kField)>;
  using Number = typename options_detail::NumberOf<Field>::Type;
  return NumberOption<Options>{
      name, least, most,
      [](const Options& options) {
        std::vector<double> numbers;
        options_detail::append(numbers, options.*kField);
        return numbers;
      },
      [](double number) { return fmt::format("{}", static_cast<Number>(number)); }};
}

/// Throws OptionError for the first number that is outside its bounds, or none.
template <typename Options>
void check_numbers(const Options& options,
                   std::type_identity_t<std::span<const NumberOption<Options>>> table) {
  for (const NumberOption<Options>& option : table) {
    for (const double number : option.numbers(options)) {
      if (number >= option.least && number <= option.most) continue;
      if (option.most == kNoLimit) {
        fail_option("{} must be {} or more, not {}.", option.name, option.least,
                    option.text(number));
      }
      fail_option("{} must be {} to {}, not {}.", option.name, option.least, option.most,
                  option.text(number));
    }
  }
}

}  // namespace whisper_s4y
