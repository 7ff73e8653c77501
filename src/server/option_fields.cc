#include "server/option_fields.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <vector>

#include "common/ascii.h"
#include "options/option_table.h"

namespace whisper_s4y::server {
namespace {

constexpr std::array<std::string_view, 5> kYes = {"true", "1", "yes", "y", "on"};
constexpr std::array<std::string_view, 5> kNo = {"false", "0", "no", "n", "off"};

}  // namespace

bool is_true(const std::string& text, std::string_view field) {
  const std::string small = lower_case(text);
  if (std::ranges::find(kYes, small) != kYes.end()) return true;
  if (std::ranges::find(kNo, small) != kNo.end()) return false;
  throw ApiError(400, fmt::format("{} must be true or false, not \"{}\".", field, one_line(text)),
                 std::string(field));
}

void set_field_text(const Form& form, std::string_view field, const OptionTable& table,
                    void* options, std::string_view option) {
  const std::vector<std::string> values = form.all(field);
  if (values.empty()) return;
  about_field(field, [&] {
    const Option& row = find_option(table, option);
    const bool is_list = row.kind == OptionKind::texts || row.kind == OptionKind::integers ||
                         row.kind == OptionKind::numbers;
    if (!is_list && values.size() > 1) {
      throw ApiError(400, fmt::format("{} is given {} times.", field, values.size()),
                     std::string(field));
    }
    if (row.kind == OptionKind::flag) {
      set_row(row, options, Json(is_true(values.back(), field)));
      return;
    }
    set_row_text(row, options, is_list ? fmt::format("{}", fmt::join(values, ",")) : values.back());
  });
}

void set_fields(const Form& form, const OptionTable& table, void* options,
                std::span<const std::string_view> except) {
  for (const Option& row : table.rows) {
    const std::string_view name = row.name.field;
    if (std::ranges::find(except, name) != except.end()) continue;
    set_field_text(form, name, table, options, name);
  }
}

}  // namespace whisper_s4y::server
