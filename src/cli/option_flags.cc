#include "cli/option_flags.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/option_values.h"
#include "options/option_table.h"

namespace whisper_s4y {
namespace {

using Target = std::function<void*()>;

std::string_view usual_metavar(OptionKind kind) {
  switch (kind) {
    case OptionKind::integer:
      return "N";
    case OptionKind::number:
      return "X";
    case OptionKind::text:
      return "TEXT";
    case OptionKind::choice:
      return "NAME";
    case OptionKind::integers:
      return "N,...";
    case OptionKind::numbers:
      return "X,...";
    case OptionKind::texts:
      return "TEXT,...";
    case OptionKind::flag:
    case OptionKind::options:
      break;
  }
  return "";
}

bool is_list(OptionKind kind) {
  return kind == OptionKind::integers || kind == OptionKind::numbers || kind == OptionKind::texts;
}

void add_flag(CLI::App& command, const Option& row, const Target& options, const void* defaults) {
  const OptionDetails& details = row.details;
  const std::string flag = row.name.on_command_line();
  const std::string names =
      details.short_flag.empty() ? flag : std::string(details.short_flag) + "," + flag;
  const std::string help(details.flag_help.empty() ? row.help : details.flag_help);
  CLI::Option* added = nullptr;
  if (row.kind == OptionKind::flag) {
    const bool switches_off = flag.starts_with("--no-");
    // What may be nothing is not yet switched off.
    added = command.add_flag_function(
        row.is_nullable ? names + ",!--no-" + flag.substr(2) : names,
        [&row, options, switches_off](int64_t count) {
          row.set(options(), Json((count > 0) != switches_off));
        },
        help);
  } else {
    added = command.add_option_function<std::string>(
        names, [&row, options](const std::string& text) { set_row_text(row, options(), text); },
        help);
    const std::string shown = text_of(get_row(row, defaults));
    std::string metavar(details.metavar.empty() ? usual_metavar(row.kind) : details.metavar);
    // To be nothing needs a word where it is not so from the beginning.
    if (row.is_nullable && !shown.empty()) metavar += "|none";
    added->type_name(metavar)->default_str(shown);
    offer_values(*added, {details.choices.begin(), details.choices.end()});
    if (is_list(row.kind)) added->join(',');
  }
  if (!details.group.empty()) added->group(std::string(details.group));
}

void add_flags_inside(CLI::App& command, const Option& row, const Target& options,
                      const void* defaults) {
  const OptionTable& table = row.nested_table();
  const Target inside = [&row, options] { return row.nested(options()); };
  Json is_there;
  row.get(defaults, is_there);
  // What is there is not changed by nested().
  const std::shared_ptr<void> made = is_there.is_null() ? table.make() : nullptr;
  add_flags(command, table, inside, made ? made.get() : row.nested(const_cast<void*>(defaults)));
}

}  // namespace

void add_flags(CLI::App& command, const OptionTable& table, const Target& options,
               const void* defaults, const std::vector<std::string_view>& only) {
  for (const std::string_view name : only) (void)find_option(table, name);
  for (const Option& row : table.rows) {
    if (!only.empty() && std::ranges::find(only, row.name.field) == only.end()) continue;
    if (!row.details.has_flag) continue;
    if (row.kind == OptionKind::options) {
      add_flags_inside(command, row, options, defaults);
    } else {
      add_flag(command, row, options, defaults);
    }
  }
}

}  // namespace whisper_s4y
