// The one description of an option: a row of its struct's table.
//
//     constexpr Option kRows[] = {
//         option<&VadOptions::threshold>("threshold", "Probability from which on sound is speech",
//                                        {.bounds = {0.001, 0.999}, .metavar = "P"}),
//         ...
//     };
//     static_assert(describes<VadOptions>(kRows));
//     template <>
//     const OptionTable& option_table<VadOptions>() { ... }
//
// The flags of the command line, its help, the messages of wrong values, and setting and reading
// options by name, from text and from JSON, are made of the rows (options/option_table.h,
// cli/option_flags.h). docs/architecture.md tells how to add one.
#pragma once

#include <cstddef>
#include <filesystem>
#include <limits>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string_view>
#include <type_traits>

#include "options/field.h"
#include "options/field_count.h"
#include "options/option_error.h"

namespace whisper_s4y {

inline constexpr double kNoLimit = std::numeric_limits<double>::infinity();

/// Of a number, or of each number of a list; the bounds themselves are allowed.
struct NumberBounds {
  double least = -kNoLimit;
  double most = kNoLimit;  // kNoLimit: any; of a `double`, infinity too
};

/// Of the length of a list.
struct LengthBounds {
  size_t least = 0;
  size_t most = std::numeric_limits<size_t>::max();
};

/// What can be said of an option beyond its name, its type and what it does.
struct OptionDetails {
  NumberBounds bounds = {};
  LengthBounds length = {};                        // of a list
  std::span<const std::string_view> choices = {};  // allowed texts; of an enum its names, in order
  std::string_view group = {};       // heading in the help; empty: those of every command
  std::string_view metavar = {};     // what stands for the value in the help; empty: by the type
  std::string_view flag = {};        // on the command line; empty: --name; --no-name switches off
  std::string_view short_flag = {};  // "-l"; empty: none
  std::string_view flag_help = {};   // what the flag does; empty: the same
  bool has_flag =
      true;  // false: the command line says it otherwise, or not at all; `flag` names it
};

struct OptionTable;

/// A row. The functions take a struct of the table's type.
struct Option {
  OptionName name;
  std::string_view field;  // what the compiler calls the field, to tell it from others
  std::string_view help;   // a line, without a full stop
  OptionDetails details;
  OptionKind kind;
  bool is_nullable;                               // may be nothing: "none" as text, null in JSON
  bool is_path;                                   // text of any bytes; other text is UTF-8
  void (*get)(const void* options, Json& value);  // leaves `value` null when there is nothing
  void (*set)(void* options, const Json& value);  // which is of the kind
  /// Of the kind `options`: the struct inside, made when there is none, and its table.
  void* (*nested)(void* options);
  const OptionTable& (*nested_table)();
};

/// All options of a struct, in the order of its fields.
struct OptionTable {
  std::span<const Option> rows;
  std::shared_ptr<void> (*make)();  // a struct with the defaults
};

/// Specialised beside each struct that has a table.
template <typename Options>
const OptionTable& option_table();

namespace options_detail {

template <typename Options, typename Field>
Options struct_of(Field Options::*);

template <auto kField>
using StructOf = decltype(struct_of(kField));

template <auto kField>
using FieldOf = std::remove_cvref_t<decltype(std::declval<StructOf<kField>>().*kField)>;

// Addresses of functions would do, were they constant with -fsanitize=undefined too. This text has
// the argument in it: "... kField = &whisper_s4y::VadOptions::threshold ...".
template <auto kField>
consteval std::string_view field_text() {
  return __PRETTY_FUNCTION__;
}

constexpr bool is_letter(char c) {
  return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/// Whether a row's name is that of its field.
constexpr bool is_named_for_its_field(const Option& row) {
  const size_t name = row.field.rfind("::", row.field.find_first_of(";]", row.field.find('&'))) + 2;
  const std::string_view rest = row.field.substr(name);
  const size_t size = row.name.field.size();
  return rest.starts_with(row.name.field) && (rest.size() == size || !is_letter(rest[size]));
}

template <auto kField>
void get(const void* options, Json& value) {
  get_field(static_cast<const StructOf<kField>*>(options)->*kField, value);
}

template <auto kField>
void set(void* options, const Json& value) {
  set_field(value, static_cast<StructOf<kField>*>(options)->*kField);
}

template <auto kField>
void* nested(void* options) {
  auto& field = static_cast<StructOf<kField>*>(options)->*kField;
  if constexpr (kIsOptional<FieldOf<kField>>) {
    if (!field) field.emplace();
    return &*field;
  } else {
    return &field;
  }
}

template <typename Number>
constexpr NumberBounds bounds_of_type(NumberBounds bounds) {
  if constexpr (std::is_same_v<Number, int>) {
    if (bounds.least == -kNoLimit) bounds.least = std::numeric_limits<int>::min();
    if (bounds.most == kNoLimit) bounds.most = std::numeric_limits<int>::max();
  } else if constexpr (std::is_unsigned_v<Number> && !std::is_same_v<Number, bool>) {
    if (bounds.least < 0) bounds.least = 0;
  }
  return bounds;
}

}  // namespace options_detail

/// A row for a field.
template <auto kField>
constexpr Option option(std::string_view name, std::string_view help, OptionDetails details = {}) {
  using Field = options_detail::FieldOf<kField>;
  using Value = ValueOf<Field>;
  details.bounds = options_detail::bounds_of_type<NumberOf<Field>>(details.bounds);
  Option row{.name = {.field = name, .flag = details.flag},
             .field = options_detail::field_text<kField>(),
             .help = help,
             .details = details,
             .kind = kKindOf<Value>,
             .is_nullable = kIsOptional<Field>,
             .is_path = std::is_same_v<Value, std::filesystem::path>,
             .get = nullptr,
             .set = nullptr,
             .nested = nullptr,
             .nested_table = nullptr};
  if constexpr (kKindOf<Value> == OptionKind::options) {
    row.nested = &options_detail::nested<kField>;
    row.nested_table = &option_table<Value>;
  }
  row.get = &options_detail::get<kField>;
  row.set = &options_detail::set<kField>;
  return row;
}

/// The name of a field in messages of rules that several options make together.
template <auto kField>
constexpr OptionName name_of(std::span<const Option> rows) {
  for (const Option& row : rows) {
    if (row.field == options_detail::field_text<kField>()) return row.name;
  }
  return {};
}

/// Whether every field of a struct has one row with its name, those apart that are callbacks.
template <typename Options>
constexpr bool describes(std::span<const Option> rows, size_t callbacks = 0) {
  for (size_t i = 0; i < rows.size(); ++i) {
    if (!options_detail::is_named_for_its_field(rows[i])) return false;
    for (size_t j = 0; j < i; ++j) {
      if (rows[i].field == rows[j].field) return false;
    }
  }
  return rows.size() + callbacks == field_count<Options>();
}

/// The table itself, for the specialisations of option_table().
template <typename Options>
OptionTable table_of(std::span<const Option> rows) {
  return {.rows = rows,
          .make = []() -> std::shared_ptr<void> { return std::make_shared<Options>(); }};
}

}  // namespace whisper_s4y
