// Fields of option structs as JSON values, by their types.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

namespace whisper_s4y {

using Json = nlohmann::ordered_json;

/// What the value of an option is, to those who give it.
enum class OptionKind {
  flag,      // bool
  integer,   // int, uint64_t
  number,    // float, double
  text,      // std::string, std::filesystem::path
  choice,    // enum class, whose values are counted from 0
  integers,  // std::vector<int>
  numbers,   // std::vector<float>, std::vector<double>
  texts,     // std::vector<std::string>
  options,   // a struct that has a table of its own
};

template <typename Field>
inline constexpr bool kIsOptional = false;
template <typename Value>
inline constexpr bool kIsOptional<std::optional<Value>> = true;

namespace options_detail {

template <typename Field>
struct Inside {
  using Value = Field;
  using Number = Field;
};
template <typename T>
struct Inside<std::optional<T>> {
  using Value = T;
  using Number = T;
};
template <typename T>
struct Inside<std::vector<T>> {
  using Value = std::vector<T>;
  using Number = T;
};

}  // namespace options_detail

/// A field's type without std::optional, and that of the numbers of a list.
template <typename Field>
using ValueOf = typename options_detail::Inside<Field>::Value;
template <typename Field>
using NumberOf = typename options_detail::Inside<Field>::Number;

template <typename Value>
inline constexpr OptionKind kKindOf = [] {
  static_assert(std::is_enum_v<Value> || std::is_aggregate_v<Value>,
                "options/field.h knows no fields of this type");
  return std::is_enum_v<Value> ? OptionKind::choice : OptionKind::options;
}();
template <>
inline constexpr OptionKind kKindOf<bool> = OptionKind::flag;
template <>
inline constexpr OptionKind kKindOf<int> = OptionKind::integer;
template <>
inline constexpr OptionKind kKindOf<uint64_t> = OptionKind::integer;
template <>
inline constexpr OptionKind kKindOf<float> = OptionKind::number;
template <>
inline constexpr OptionKind kKindOf<double> = OptionKind::number;
template <>
inline constexpr OptionKind kKindOf<std::string> = OptionKind::text;
template <>
inline constexpr OptionKind kKindOf<std::filesystem::path> = OptionKind::text;
template <>
inline constexpr OptionKind kKindOf<std::vector<int>> = OptionKind::integers;
template <>
inline constexpr OptionKind kKindOf<std::vector<float>> = OptionKind::numbers;
template <>
inline constexpr OptionKind kKindOf<std::vector<double>> = OptionKind::numbers;
template <>
inline constexpr OptionKind kKindOf<std::vector<std::string>> = OptionKind::texts;

namespace options_detail {

// A float is the number that its shortest decimal form says: 0.2, not 0.2000000029802322.
void get_field(bool field, Json& value);
void get_field(int field, Json& value);
void get_field(uint64_t field, Json& value);
void get_field(float field, Json& value);
void get_field(double field, Json& value);
void get_field(const std::string& field, Json& value);
void get_field(const std::filesystem::path& field, Json& value);
void get_field(const std::vector<int>& field, Json& value);
void get_field(const std::vector<float>& field, Json& value);
void get_field(const std::vector<double>& field, Json& value);
void get_field(const std::vector<std::string>& field, Json& value);

// The value is of the field's kind and within the bounds of its type.
void set_field(const Json& value, bool& field);
void set_field(const Json& value, int& field);
void set_field(const Json& value, uint64_t& field);
void set_field(const Json& value, float& field);
void set_field(const Json& value, double& field);
void set_field(const Json& value, std::string& field);
void set_field(const Json& value, std::filesystem::path& field);
void set_field(const Json& value, std::vector<int>& field);
void set_field(const Json& value, std::vector<float>& field);
void set_field(const Json& value, std::vector<double>& field);
void set_field(const Json& value, std::vector<std::string>& field);

[[nodiscard]] bool is_nothing(const Json& value);

// An enum is its number here; the rows have the names.
template <typename Enum>
requires std::is_enum_v<Enum>
void get_field(Enum field, Json& value) { get_field(static_cast<int>(field), value); }
template <typename Enum>
requires std::is_enum_v<Enum>
void set_field(const Json& value, Enum& field) {
  int number = 0;
  set_field(value, number);
  field = static_cast<Enum>(number);
}

// A struct with a table is not read as one value, only known to be there or not.
template <typename Options>
requires std::is_aggregate_v<Options>
void get_field(const Options& /*field*/, Json& value) { get_field(true, value); }
template <typename Options>
requires std::is_aggregate_v<Options>
void set_field(const Json& /*value*/, Options& /*field*/) {}

template <typename T>
void get_field(const std::optional<T>& field, Json& value) {
  if (field) get_field(*field, value);
}
template <typename T>
void set_field(const Json& value, std::optional<T>& field) {
  if (is_nothing(value)) {
    field.reset();
  } else {
    set_field(value, field.emplace());
  }
}

}  // namespace options_detail

}  // namespace whisper_s4y
