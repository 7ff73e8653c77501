#include "options/option_table.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>
#include <vector>

#include "common/parse_json.h"
#include "common/utf8.h"
#include "options/option_text.h"

namespace whisper_s4y {
namespace {

// Names that are longer are like none of ours.
constexpr size_t kLongestName = 64;

/// How many letters are to be changed, added or left out to make one word of another.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({changed, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

[[noreturn]] void fail_unknown(const OptionTable& table, std::string_view name) {
  std::vector<std::string_view> names;
  for (const Option& row : table.rows) names.push_back(row.name.field);
  if (name.size() > kLongestName) {
    fail(ErrorCode::invalid_argument, "There is no option \"{}...\"; there are {}.",
         name.substr(0, kLongestName), fmt::join(names, ", "));
  }
  const std::string_view nearest = *std::ranges::min_element(
      names, {}, [&](std::string_view other) { return edit_distance(name, other); });
  if (edit_distance(name, nearest) <= std::max<size_t>(2, name.size() / 3)) {
    fail(ErrorCode::invalid_argument, "There is no option \"{}\"; the nearest is {}.", name,
         nearest);
  }
  fail(ErrorCode::invalid_argument, "There is no option \"{}\"; there are {}.", name,
       fmt::join(names, ", "));
}

bool is_of_kind(const Json& value, OptionKind kind) {
  const auto all = [&](bool (*is)(const Json& item)) {
    return value.is_array() && std::ranges::all_of(value, is);
  };
  switch (kind) {
    case OptionKind::flag:
      return value.is_boolean();
    case OptionKind::integer:
      return value.is_number_integer();
    case OptionKind::number:
      return value.is_number();
    case OptionKind::text:
    case OptionKind::choice:
      return value.is_string();
    case OptionKind::integers:
      return all([](const Json& item) { return item.is_number_integer(); });
    case OptionKind::numbers:
      return all([](const Json& item) { return item.is_number(); });
    case OptionKind::texts:
      return all([](const Json& item) { return item.is_string(); });
    case OptionKind::options:
      return value.is_object();
  }
  return false;
}

std::string shown(const Json& number) {
  return number.is_number_float() ? fmt::format("{}", number.get<double>()) : number.dump();
}

void check_number(const Option& row, const Json& value) {
  const auto [least, most] = row.details.bounds;
  const auto number = value.get<double>();
  // Not a number is within no bounds; an infinity only of single numbers without limit.
  const bool is_within = number >= least && number <= most;
  if (is_within && (std::isfinite(number) || can_be_nothing(row))) return;
  if (most == kNoLimit) {
    fail_option("{} must be {} or more, not {}.", row.name, least, shown(value));
  }
  fail_option("{} must be {} to {}, not {}.", row.name, least, most, shown(value));
}

void check_length(const Option& row, size_t length) {
  const auto [least, most] = row.details.length;
  if (length >= least && length <= most) return;
  fail_option("{} must be {} to {} {}, not {}.", row.name, least, most,
              row.kind == OptionKind::texts ? "texts" : "numbers", length);
}

/// Of the row's kind; a choice is its number.
void check_value(const Option& row, const Json& value) {
  if (value.is_null()) return;
  if (row.kind == OptionKind::choice) {
    const auto index = value.get<int64_t>();
    if (index < 0 || index >= static_cast<int64_t>(row.details.choices.size())) {
      fail_option("{} must be {}, not number {}.", row.name, alternatives(row.details.choices),
                  index);
    }
    return;
  }
  if (value.is_number()) check_number(row, value);
  if (value.is_string() && !row.is_path) {
    const auto& text = value.get_ref<const std::string&>();
    if (valid_utf8(text) != text) {
      fail_option("{} must be UTF-8, which {} is not.", row.name, json_text(value));
    }
  }
  if (value.is_string() && !row.details.choices.empty() &&
      std::ranges::find(row.details.choices, value.get<std::string>()) ==
          row.details.choices.end()) {
    fail_option("{} must be {}, not \"{}\".", row.name, alternatives(row.details.choices),
                value.get<std::string>());
  }
  if (value.is_array()) {
    check_length(row, value.size());
    for (const Json& item : value) check_value(row, item);
  }
}

/// A choice's number in place of its name.
Json number_of_choice(const Option& row, const Json& value) {
  const auto name = value.get<std::string>();
  const auto found = std::ranges::find(row.details.choices, name);
  if (found == row.details.choices.end()) {
    fail_option("{} must be {}, not \"{}\".", row.name, alternatives(row.details.choices), name);
  }
  return found - row.details.choices.begin();
}

struct Found {
  const Option* row;
  void* options;
};

const OptionTable& table_inside(const Option& row, std::string_view name) {
  if (row.kind == OptionKind::options) return row.nested_table();
  fail(ErrorCode::invalid_argument, "There is no option \"{}\"; {} has no options inside.", name,
       row.name.field);
}

/// Where a name with dots leads; structs on the way that are nothing are made.
Found find(const OptionTable& table, void* options, std::string_view name) {
  const size_t dot = name.find('.');
  const Option& row = find_option(table, name.substr(0, dot));
  if (dot == std::string_view::npos) return {&row, options};
  const OptionTable& inside = table_inside(row, name);
  return find(inside, row.nested(options), name.substr(dot + 1));
}

std::string_view type_name(OptionKind kind) {
  switch (kind) {
    case OptionKind::flag:
      return "boolean";
    case OptionKind::integer:
      return "integer";
    case OptionKind::number:
      return "number";
    case OptionKind::text:
    case OptionKind::choice:
      return "string";
    case OptionKind::integers:
      return "integers";
    case OptionKind::numbers:
      return "numbers";
    case OptionKind::texts:
      return "strings";
    case OptionKind::options:
      return "object";
  }
  return "";
}

}  // namespace

const Option& find_option(const OptionTable& table, std::string_view name) {
  const auto found =
      std::ranges::find(table.rows, name, [](const Option& row) { return row.name.field; });
  if (found == table.rows.end()) fail_unknown(table, name);
  return *found;
}

void set_row(const Option& row, void* options, const Json& value) {
  if (value.is_null() && can_be_nothing(row)) {
    row.set(options, row.is_nullable ? Json() : Json(kNoLimit));
    return;
  }
  if (!is_of_kind(value, row.kind)) {
    fail_option("{}: expected {}, not {}.", row.name, expected_value(row, false), json_text(value));
  }
  if (row.kind == OptionKind::options) {
    set_options(row.nested_table(), row.nested(options), value);
    return;
  }
  const Json plain = row.kind == OptionKind::choice ? number_of_choice(row, value) : value;
  check_value(row, plain);
  row.set(options, plain);
}

Json get_row(const Option& row, const void* options) {
  Json value;
  row.get(options, value);
  if (value.is_null()) return value;
  if (row.kind == OptionKind::options) {
    // The struct is there, so that nested() makes none and changes nothing.
    return get_options(row.nested_table(), row.nested(const_cast<void*>(options)));
  }
  if (row.kind == OptionKind::choice) {
    return std::string(row.details.choices[value.get<size_t>()]);
  }
  if (value.is_number_float() && std::isinf(value.get<double>())) return nullptr;
  return value;
}

Json describe_row(const Option& row, const void* defaults) {
  Json json = {{"name", row.name.field},
               {"type", type_name(row.kind)},
               {"nullable", row.is_nullable},
               {"default", get_row(row, defaults)},
               {"help", row.help}};
  const auto& [least, most] = row.details.bounds;
  if (least != -kNoLimit) json["least"] = least;
  if (most != kNoLimit) json["most"] = most;
  if (row.details.length.least > 0) json["least_items"] = row.details.length.least;
  if (row.details.length.most != LengthBounds().most) {
    json["most_items"] = row.details.length.most;
  }
  if (!row.details.choices.empty()) json["choices"] = row.details.choices;
  return json;
}

void check_rows(const OptionTable& table, const void* options) {
  for (const Option& row : table.rows) {
    Json value;
    row.get(options, value);
    if (row.kind != OptionKind::options) check_value(row, value);
  }
}

Json get_option(const OptionTable& table, const void* options, std::string_view name) {
  const size_t dot = name.find('.');
  const Option& row = find_option(table, name.substr(0, dot));
  if (dot == std::string_view::npos) return get_row(row, options);
  const OptionTable& inside = table_inside(row, name);
  const std::string_view rest = name.substr(dot + 1);
  Json is_there;
  row.get(options, is_there);
  if (is_there.is_null()) {
    (void)get_option(inside, inside.make().get(), rest);  // throws when there is no such name
    return nullptr;
  }
  return get_option(inside, row.nested(const_cast<void*>(options)), rest);
}

void set_option(const OptionTable& table, void* options, std::string_view name, const Json& value) {
  const Found found = find(table, options, name);
  set_row(*found.row, found.options, value);
}

void set_row_text(const Option& row, void* options, std::string_view text) {
  set_row(row, options, value_of_text(row, text));
}

void set_option_text(const OptionTable& table, void* options, std::string_view name,
                     std::string_view text) {
  const Found found = find(table, options, name);
  set_row_text(*found.row, found.options, text);
}

Json get_options(const OptionTable& table, const void* options) {
  Json object = Json::object();
  for (const Option& row : table.rows) {
    object[std::string(row.name.field)] = get_row(row, options);
  }
  return object;
}

void set_options(const OptionTable& table, void* options, const Json& object) {
  if (!object.is_object()) {
    fail(ErrorCode::invalid_argument, "Options are a JSON object, not {}.", json_text(object));
  }
  for (const auto& [name, value] : object.items()) {
    set_row(find_option(table, name), options, value);
  }
}

void set_options_json(const OptionTable& table, void* options, std::string_view json) {
  set_options(table, options, json_of_options(json));
}

Json json_of_options(std::string_view text) {
  auto json = parse_json<Json>(text, "The text with options", {}, ErrorCode::invalid_argument);
  if (json.is_discarded()) {
    fail(ErrorCode::invalid_argument, "Options are a JSON object, and this is no JSON: {}", text);
  }
  return json;
}

std::string json_text(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace whisper_s4y
