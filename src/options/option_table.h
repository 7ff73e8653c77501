// Options by name: from text, from JSON, and back.
//
//     TranscribeOptions options;
//     set_option(options, "beam_size", "5");
//     set_option(options, "vad_options.threshold", "0.4");  // in the struct inside
//     set_options(options, R"({"language": "de", "temperatures": [0, 0.4]})");
//     std::string json = to_json(options);
//
// All of these throw Error (invalid_argument) with one sentence for a name that is none, a value of
// another type and one that is out of its bounds, and leave the options as they were. What options
// mean together is checked by validate() of the struct.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "options/option.h"

namespace whisper_s4y {

// For those who know the struct only by its table; these leave the options half set when they
// throw.

/// Throws OptionError for the first value that is out of its bounds or none of its choices. Structs
/// inside are left out.
void check_rows(const OptionTable& table, const void* options);
/// Null for nothing and for a number without limit; a struct inside is an object.
[[nodiscard]] Json get_option(const OptionTable& table, const void* options, std::string_view name);
void set_option(const OptionTable& table, void* options, std::string_view name, const Json& value);
/// `text` is a number, true, false, a text, or several with commas between; "none" for nothing; a
/// struct inside is a JSON object.
void set_option_text(const OptionTable& table, void* options, std::string_view name,
                     std::string_view text);
/// All options in the order of the fields.
[[nodiscard]] Json get_options(const OptionTable& table, const void* options);
/// Those that the object names; the others stay.
void set_options(const OptionTable& table, void* options, const Json& object);
void set_options_json(const OptionTable& table, void* options, std::string_view json);

/// The row of an option. Throws Error that lists the nearest name or all for one that is none.
[[nodiscard]] const Option& find_option(const OptionTable& table, std::string_view name);
/// A value of get_option() as set_option_text() takes it; nothing is "".
[[nodiscard]] std::string text_of(const Json& value);
/// One option of the row's struct.
[[nodiscard]] Json get_row(const Option& row, const void* options);
void set_row(const Option& row, void* options, const Json& value);
void set_row_text(const Option& row, void* options, std::string_view text);

/// What can be told of an option: name, type, nullable, default, help, and where there are, least,
/// most, least_items, most_items and choices. `defaults` is a struct of the row's type.
[[nodiscard]] Json describe_row(const Option& row, const void* defaults);

/// A value of options from text. Throws Error when it is no JSON or more than options can be.
[[nodiscard]] Json json_of_options(std::string_view text);
/// What is no UTF-8 is replaced.
[[nodiscard]] std::string json_text(const Json& json);

// The same for a struct of known type.

template <typename Options>
void check_rows(const Options& options) {
  check_rows(option_table<Options>(), &options);
}

template <typename Options>
[[nodiscard]] auto get_option(const Options& options, std::string_view name) {
  return get_option(option_table<Options>(), &options, name);
}

template <typename Options>
void set_option(Options& options, std::string_view name, std::string_view text) {
  Options changed = options;
  set_option_text(option_table<Options>(), &changed, name, text);
  options = std::move(changed);
}

template <typename Options>
void set_options(Options& options, std::string_view json) {
  Options changed = options;
  set_options_json(option_table<Options>(), &changed, json);
  options = std::move(changed);
}

template <typename Options>
[[nodiscard]] std::string to_json(const Options& options) {
  return json_text(get_options(option_table<Options>(), &options));
}

}  // namespace whisper_s4y
