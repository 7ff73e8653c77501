#include "options/option_text.h"

#include <fmt/ranges.h>

#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <system_error>

#include "options/option_table.h"

namespace whisper_s4y {
namespace {

constexpr std::string_view kNone = "none";

template <typename Number>
std::optional<Number> parsed(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<Json> integer(std::string_view text) {
  if (const auto number = parsed<int64_t>(text)) return Json(*number);
  if (const auto number = parsed<uint64_t>(text)) return Json(*number);
  return std::nullopt;
}

std::optional<Json> number(std::string_view text) {
  if (const auto number = parsed<double>(text)) return Json(*number);
  return std::nullopt;
}

std::optional<Json> boolean(std::string_view text) {
  if (text == "true" || text == "1") return Json(true);
  if (text == "false" || text == "0") return Json(false);
  return std::nullopt;
}

std::string_view without_spaces(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

/// Items with commas between; none of an empty text.
template <typename Item>
std::optional<Json> list(std::string_view text, const Item& item_of) {
  Json items = Json::array();
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    const auto item = item_of(without_spaces(text.substr(0, comma)));
    if (!item) return std::nullopt;
    items.push_back(*item);
    if (comma == text.size()) break;
    text.remove_prefix(comma + 1);
    if (text.empty()) return std::nullopt;
  }
  return items;
}

std::optional<Json> value_of(const Option& row, std::string_view text) {
  const auto as_is = [](std::string_view item) { return std::optional<Json>(std::string(item)); };
  switch (row.kind) {
    case OptionKind::flag:
      return boolean(text);
    case OptionKind::integer:
      return integer(text);
    case OptionKind::number:
      return number(text);
    case OptionKind::text:
    case OptionKind::choice:
      return as_is(text);
    case OptionKind::integers:
      return list(text, integer);
    case OptionKind::numbers:
      return list(text, number);
    case OptionKind::texts:
      return list(text, as_is);
    case OptionKind::options:
      return json_of_options(text);
  }
  return std::nullopt;
}

std::string_view kind_name(OptionKind kind, bool as_text) {
  switch (kind) {
    case OptionKind::flag:
      return "true or false";
    case OptionKind::integer:
      return "a whole number";
    case OptionKind::number:
      return "a number";
    case OptionKind::text:
    case OptionKind::choice:
      return "a text";
    case OptionKind::integers:
      return as_text ? "whole numbers with commas between" : "a list of whole numbers";
    case OptionKind::numbers:
      return as_text ? "numbers with commas between" : "a list of numbers";
    case OptionKind::texts:
      return as_text ? "texts with commas between" : "a list of texts";
    case OptionKind::options:
      return "an object of options";
  }
  return "";
}

}  // namespace

bool can_be_nothing(const Option& row) {
  return row.is_nullable || (row.kind == OptionKind::number && row.details.bounds.most == kNoLimit);
}

std::string alternatives(std::span<const std::string_view> names) {
  if (names.size() == 1) return std::string(names.front());
  return fmt::format("{} or {}", fmt::join(names.first(names.size() - 1), ", "), names.back());
}

std::string expected_value(const Option& row, bool as_text) {
  std::string expected = row.details.choices.empty() ? std::string(kind_name(row.kind, as_text))
                                                     : alternatives(row.details.choices);
  // The text "none" is a text.
  if (can_be_nothing(row) && !(as_text && row.kind == OptionKind::text)) {
    expected += as_text ? " or none" : " or null";
  }
  return expected;
}

Json value_of_text(const Option& row, std::string_view text) {
  if (text == kNone && can_be_nothing(row) && row.kind != OptionKind::text) return nullptr;
  std::optional<Json> value = value_of(row, text);
  if (!value) {
    fail_option("{}: expected {}, not \"{}\".", row.name, expected_value(row, true),
                std::string(text));
  }
  return *std::move(value);
}

std::string text_of(const Json& value) {
  if (value.is_null()) return "";
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_float()) {
    // Without a point where there is nothing after it.
    return std::isinf(value.get<double>()) ? "" : fmt::format("{}", value.get<double>());
  }
  if (value.is_array()) {
    std::vector<std::string> items;
    for (const Json& item : value) items.push_back(text_of(item));
    return fmt::format("{}", fmt::join(items, ","));
  }
  return json_text(value);
}

}  // namespace whisper_s4y
