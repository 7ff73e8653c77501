#include "cli/help_formatter.h"

#include <fmt/format.h>

#include <sstream>

namespace whisper_s4y {
namespace {

constexpr size_t kWidth = 100;
constexpr size_t kColumn = 28;

/// Words of `text` in lines of at most `width` characters.
std::vector<std::string> wrap(const std::string& text, size_t width) {
  std::vector<std::string> lines;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    if (lines.empty() || lines.back().size() + 1 + word.size() > width) {
      lines.push_back(word);
    } else {
      lines.back() += ' ' + word;
    }
  }
  return lines;
}

/// A name in the left column, its description in the right one.
std::string entry(const std::string& name, const std::string& description) {
  std::string text = "  " + name;
  bool first = name.size() + 4 <= kColumn;
  for (const std::string& line : wrap(description, kWidth - kColumn)) {
    if (!first) text += '\n';
    text += std::string(kColumn - (first ? name.size() + 2 : 0), ' ') + line;
    first = false;
  }
  return text + '\n';
}

}  // namespace

std::string summary_of(const std::string& description) {
  std::string text = description;
  for (const char* end : {". ", ": "}) text = text.substr(0, text.find(end));
  if (text.ends_with('.')) text.pop_back();
  return text;
}

std::string help_of(const CLI::Option& option) {
  if (!option.get_default_str().empty()) {
    return fmt::format("{} (default: {})", option.get_description(), option.get_default_str());
  }
  if (option.nonpositional() && option.get_required())
    return option.get_description() + " (required)";
  return option.get_description();
}

std::vector<const CLI::App*> shown_commands(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App* command) { return !command->get_group().empty(); });
}

std::string HelpFormatter::make_help(const CLI::App* app, std::string name,
                                     CLI::AppFormatMode mode) const {
  // The base class puts two blank lines between groups of options.
  return CLI::detail::find_and_replace(Formatter::make_help(app, std::move(name), mode), "\n\n\n",
                                       "\n\n");
}

std::string HelpFormatter::make_description(const CLI::App* app) const {
  return fmt::format("{}\n\n", fmt::join(wrap(app->get_description(), kWidth), "\n"));
}

std::string HelpFormatter::make_option(const CLI::Option* option, bool is_positional) const {
  std::string name = make_option_name(option, is_positional);
  name = CLI::detail::find_and_replace(name, "{false}", "");  // of a flag that switches off
  if (const size_t comma = name.find(','); comma != std::string::npos) name.insert(comma + 1, " ");
  if (!is_positional && !option->get_type_name().empty()) name += ' ' + option->get_type_name();
  return entry(name, help_of(*option));
}

std::string HelpFormatter::make_subcommand(const CLI::App* command) const {
  return entry(command->get_name(), summary_of(command->get_description()));
}

}  // namespace whisper_s4y
