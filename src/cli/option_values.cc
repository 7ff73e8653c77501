#include "cli/option_values.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iterator>

#include "tokenizer/languages.h"

namespace whisper_s4y {
namespace {

constexpr std::string_view kAnyFile[] = {"AUDIO", "CHECKPOINT", "FILE", "MANIFEST"};

bool is_any_file(const std::string& metavar) {
  return std::ranges::find(kAnyFile, metavar) != std::end(kAnyFile);
}

void add_meaning(const std::string& metavar, OptionValues& values) {
  if (metavar == "DIR") {
    values.is_folder = true;
  } else if (metavar == "MODEL") {
    values.is_file = true;
    values.extensions.emplace_back(".tflite");
  } else if (metavar.starts_with("FILE.")) {
    values.is_file = true;
    values.extensions.push_back(metavar.substr(std::string_view("FILE").size()));
  } else if (is_any_file(metavar)) {
    values.is_file = true;
  } else if (metavar == "LANG") {
    for (const Language& language : languages()) values.names.emplace_back(language.code);
  } else if (metavar == "none") {
    values.names.push_back(metavar);
  }
}

}  // namespace

void offer_values(CLI::Option& option, const std::vector<std::string>& names) {
  option.option_text(fmt::format("{}", fmt::join(names, ",")));  // the help shows the metavariable
}

void limit_values(CLI::Option& option, const std::vector<std::string>& names) {
  offer_values(option, names);
  option.check(CLI::IsMember(names).description(""));
}

OptionValues values_of(const CLI::Option& option) {
  OptionValues values;
  const std::string& offered = option.get_option_text();
  if (!offered.empty()) values.names = CLI::detail::split(offered, ',');
  std::string metavar = option.get_positional() ? option.get_name(true) : option.get_type_name();
  for (const std::string_view more : {",...", "..."}) {
    if (!metavar.ends_with(more)) continue;
    values.is_list = more.front() == ',';
    metavar.resize(metavar.size() - more.size());
    break;
  }
  const std::vector<std::string> parts = CLI::detail::split(metavar, '|');
  for (const std::string& part : parts) add_meaning(part, values);
  if (std::ranges::any_of(parts, is_any_file)) values.extensions.clear();
  return values;
}

}  // namespace whisper_s4y
