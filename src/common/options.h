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

#include "options/option_error.h"

namespace whisper_s4y {

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
