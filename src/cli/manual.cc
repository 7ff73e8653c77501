// whisper-s4y man-pages: the manual, made of the description of the command line.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "cli/commands.h"
#include "cli/help_formatter.h"
#include "common/output_file.h"
#include "whisper_s4y/version.h"

namespace whisper_s4y {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kExamples = "Examples:";

/// Text as roff has it.
std::string roff(std::string_view text) {
  std::string escaped;
  // A dot or a quote at the beginning of a line would be a request.
  if (text.starts_with('.') || text.starts_with('\'')) escaped += "\\&";
  for (const char c : text) {
    switch (c) {
      case '\\':
        escaped += "\\e";
        break;
      case '-':
        escaped += "\\-";
        break;
      case '"':
        escaped += "\\(dq";
        break;
      case '^':
        escaped += "\\(ha";
        break;
      case '~':
        escaped += "\\(ti";
        break;
      case '`':
        escaped += "\\(ga";
        break;
      case '\'':
        escaped += "\\(aq";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

std::string bold(std::string_view text) { return fmt::format("\\fB{}\\fR", roff(text)); }
std::string italic(std::string_view text) { return fmt::format("\\fI{}\\fR", roff(text)); }

std::string section(std::string_view title) { return fmt::format(".SH {}\n", title); }

std::string item(std::string_view heading, std::string_view text) {
  return fmt::format(".TP\n{}\n{}\n", heading, roff(text));
}

std::string page_name(const CLI::App& app, const CLI::App& command) {
  return &command == &app ? app.get_name() : app.get_name() + "-" + command.get_name();
}

std::string heading_of(const CLI::Option& option) {
  std::string text;
  for (const std::string& name : option.get_snames()) text += bold("-" + name) + ", ";
  for (const std::string& name : option.get_lnames()) text += bold("--" + name) + ", ";
  text.resize(text.size() - std::string_view(", ").size());
  if (!option.get_type_name().empty()) text += ' ' + italic(option.get_type_name());
  return text;
}

std::string synopsis(const CLI::App& app, const CLI::App& command, bool is_program) {
  std::string text = bold(app.get_name());
  if (!is_program) text += ' ' + bold(command.get_name());
  text += " [" + italic("OPTIONS") + "]";
  for (const CLI::Option* option :
       command.get_options([](const CLI::Option* o) { return o->get_positional(); })) {
    const bool many = option->get_items_expected_max() >= CLI::detail::expected_max_vector_size;
    const std::string name = italic(option->get_name(true)) + (many ? "..." : "");
    text += option->get_required() ? ' ' + name : " [" + name + "]";
  }
  if (is_program) text += ' ' + italic("COMMAND") + " ...";
  return text + '\n';
}

std::string options(const CLI::App& command) {
  std::string text;
  std::string positionals;
  for (const CLI::Option* option :
       command.get_options([](const CLI::Option* o) { return o->get_positional(); })) {
    positionals += item(italic(option->get_name(true)), help_of(*option));
  }
  if (!positionals.empty()) text += section("ARGUMENTS") + positionals;
  text += section("OPTIONS");
  bool is_first = true;
  for (const std::string& group : command.get_groups()) {
    std::string items;
    for (const CLI::Option* option : command.get_options(
             [&](const CLI::Option* o) { return o->get_group() == group && o->nonpositional(); })) {
      items += item(heading_of(*option), help_of(*option));
    }
    if (items.empty()) continue;
    if (!is_first) text += fmt::format(".SS {}\n", roff(group));
    is_first = false;
    text += items;
  }
  return text;
}

/// What stands below the options: paragraphs, and what is typed, indented.
std::string footer(const CLI::App& command) {
  std::string notes;
  std::string examples;
  std::string* part = &notes;
  bool is_literal = false;
  const auto set_literal = [&](bool wanted) {
    if (wanted != is_literal) *part += wanted ? ".EX\n" : ".EE\n.PP\n";
    is_literal = wanted;
  };
  std::istringstream lines(command.get_footer());
  for (std::string line; std::getline(lines, line);) {
    if (line == kExamples) {
      set_literal(false);
      part = &examples;
    } else if (line.empty()) {
      set_literal(false);
      *part += ".PP\n";
    } else {
      set_literal(line.starts_with("  "));
      *part += roff(is_literal ? std::string_view(line).substr(2) : line) + '\n';
    }
  }
  set_literal(false);
  // No paragraph ends a section.
  const auto finished = [](std::string_view title, std::string text) {
    while (text.ends_with(".PP\n")) text.resize(text.size() - std::string_view(".PP\n").size());
    return text.empty() ? text : section(title) + text;
  };
  return finished("NOTES", notes) + finished("EXAMPLES", examples);
}

std::string references(const CLI::App& app, const CLI::App& command) {
  std::vector<std::string> pages;
  if (&command != &app) {
    pages.push_back(page_name(app, app));
  } else {
    for (const CLI::App* other : shown_commands(app)) pages.push_back(page_name(app, *other));
  }
  std::string text = section("SEE ALSO");
  for (size_t i = 0; i < pages.size(); ++i) {
    text += fmt::format(".BR {} (1){}\n", roff(pages[i]), i + 1 < pages.size() ? "," : "");
  }
  return text;
}

std::string commands(const CLI::App& app) {
  std::string text = section("COMMANDS");
  for (const CLI::App* command : shown_commands(app)) {
    text += item(bold(command->get_name()), summary_of(command->get_description()));
  }
  return text;
}

std::string manual_page(const CLI::App& app, const CLI::App& command) {
  const bool is_program = &command == &app;
  const std::string name = page_name(app, command);
  std::string text = fmt::format(".TH {} 1 \"\" \"{} {}\" \"User Commands\"\n", roff(name),
                                 roff(app.get_name()), kVersion);
  text +=
      section("NAME") + roff(name) + " \\- " + roff(summary_of(command.get_description())) + '\n';
  text += section("SYNOPSIS") + synopsis(app, command, is_program);
  text += section("DESCRIPTION") + roff(command.get_description()) + '\n';
  if (is_program) text += commands(app);
  return text + options(command) + footer(command) + references(app, command);
}

void write_manual(const CLI::App& app, const fs::path& folder) {
  std::vector<const CLI::App*> all = {&app};
  for (const CLI::App* command : shown_commands(app)) all.push_back(command);
  fs::create_directories(folder);
  for (const CLI::App* command : all) {
    OutputFile page(folder / (page_name(app, *command) + ".1"));
    page.write(manual_page(app, *command));
    page.commit();
  }
}

}  // namespace

void add_man_pages_command(CLI::App& app) {
  auto folder = std::make_shared<fs::path>();
  CLI::App* command = app.add_subcommand("man-pages", "Write the manual: a page for each command.");
  command->group("");  // for the build
  command->add_option("DIR", *folder, "Folder to write to")->required();
  command->footer("Examples:\n  whisper-s4y man-pages /tmp/man1");
  command->callback([&app, folder] { write_manual(app, *folder); });
}

}  // namespace whisper_s4y
