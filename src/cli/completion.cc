// whisper-s4y completion: what a shell needs to complete a command line of whisper-s4y. The scripts
// ask `whisper-s4y complete -- WORD...`, which goes by the description of the command line itself.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/commands.h"
#include "cli/completion_scripts.h"
#include "cli/console.h"
#include "cli/help_formatter.h"
#include "cli/option_values.h"

namespace whisper_s4y {
namespace {

bool takes_value(const CLI::Option& option) { return option.get_items_expected_max() > 0; }

bool takes_many(const CLI::Option& option) {
  return option.get_items_expected_max() >= CLI::detail::expected_max_vector_size;
}

bool is_flag(std::string_view word) { return word.size() > 1 && word.front() == '-'; }

std::vector<CLI::Option*> positionals_of(CLI::App& command) {
  return command.get_options([](const CLI::Option* option) { return option->get_positional(); });
}

/// A line of the answer; the shells show the help beside the value where they can.
void print_candidate(std::string_view value, std::string_view help) {
  print_out("{}\t{}\n", value, help);
}

void complete_command(CLI::App& app, std::string_view word) {
  for (const CLI::App* command : shown_commands(app)) {
    if (!command->get_name().starts_with(word)) continue;
    print_candidate(command->get_name(), summary_of(command->get_description()));
  }
}

void complete_flag(CLI::App& command, std::string_view word) {
  for (const CLI::Option* option : command.get_options()) {
    std::vector<std::string> names;
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    for (const std::string& name : option->get_snames()) names.push_back("-" + name);
    for (const std::string& name : names) {
      if (name.starts_with(word)) print_candidate(name, summary_of(option->get_description()));
    }
  }
}

void complete_value(const CLI::Option& option, std::string_view word) {
  const OptionValues values = values_of(option);
  // Of a list all but the last part stands already.
  const size_t comma = values.is_list ? word.rfind(',') : std::string_view::npos;
  const std::string before(comma == std::string_view::npos ? "" : word.substr(0, comma + 1));
  const std::vector<std::string> there = CLI::detail::split(before, ',');
  for (const std::string& name : values.names) {
    if (std::ranges::find(there, name) != there.end()) continue;
    const std::string value = before + name;
    if (value.starts_with(word)) print_candidate(value, "");
  }
  if (values.is_file) {
    print_candidate(":files", CLI::detail::join(values.extensions, " "));
  } else if (values.is_folder) {
    print_candidate(":folders", "");
  }
}

/// Goes through the words of a command that stand before the one to complete.
class Position {
 public:
  explicit Position(CLI::App& command) : command_(command), positionals_(positionals_of(command)) {}

  void pass(const std::string& word) {
    if (!only_positionals_ && word == "--") {
      only_positionals_ = true;
      flag_ = nullptr;
    } else if (!only_positionals_ && is_flag(word)) {
      flag_ = command_.get_option_no_throw(word);  // none when the value is in the word
      if (flag_ != nullptr && !takes_value(*flag_)) flag_ = nullptr;
    } else if (flag_ != nullptr) {
      if (!takes_many(*flag_)) flag_ = nullptr;
    } else {
      ++index_;
    }
  }

  void complete(const std::string& word) {
    const size_t equals = word.starts_with("--") ? word.find('=') : std::string::npos;
    if (!only_positionals_ && equals != std::string::npos) {
      const CLI::Option* flag = command_.get_option_no_throw(word.substr(0, equals));
      if (flag != nullptr && takes_value(*flag)) complete_value(*flag, word.substr(equals + 1));
    } else if (!only_positionals_ && word.starts_with('-')) {
      complete_flag(command_, word);
    } else if (flag_ != nullptr) {
      complete_value(*flag_, word);
    } else if (index_ < positionals_.size()) {
      complete_value(*positionals_[index_], word);
    } else if (!positionals_.empty() && takes_many(*positionals_.back())) {
      complete_value(*positionals_.back(), word);
    }
  }

 private:
  CLI::App& command_;
  std::vector<CLI::Option*> positionals_;
  CLI::Option* flag_ = nullptr;  // whose value comes next
  size_t index_ = 0;             // of the positional that comes next
  bool only_positionals_ = false;
};

/// `words` stand behind the program's name; the last is the one to complete.
void complete(CLI::App& app, const std::vector<std::string>& words) {
  if (words.empty()) return;
  if (words.size() == 1) {
    if (words[0].starts_with('-')) {
      complete_flag(app, words[0]);
    } else {
      complete_command(app, words[0]);
    }
    return;
  }
  const auto found =
      app.get_subcommands([&](const CLI::App* command) { return command->get_name() == words[0]; });
  if (found.empty()) return;
  Position position(*found.front());
  for (size_t i = 1; i + 1 < words.size(); ++i) position.pass(words[i]);
  position.complete(words.back());
}

}  // namespace

void add_completion_command(CLI::App& app) {
  auto shell = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand(
      "completion",
      "Print what a shell needs to complete command lines of whisper-s4y. Installed packages have "
      "it in place.");
  std::vector<std::string> shells;
  for (const CompletionScript& script : completion_scripts()) shells.emplace_back(script.shell);
  CLI::Option* argument =
      command->add_option("SHELL", *shell, CLI::detail::join(shells, ", "))->required();
  limit_values(*argument, shells);
  command->footer(
      "Examples:\n"
      "  source <(whisper-s4y completion bash)\n"
      "  whisper-s4y completion zsh >~/.zsh/completions/_whisper-s4y\n"
      "  whisper-s4y completion fish >~/.config/fish/completions/whisper-s4y.fish");
  command->callback([shell] {
    for (const CompletionScript& script : completion_scripts()) {
      if (script.shell == *shell) write_out(script.text);
    }
  });
}

void add_complete_command(CLI::App& app) {
  auto words = std::make_shared<std::vector<std::string>>();
  CLI::App* command = app.add_subcommand("complete", "What the scripts of `completion` ask.");
  command->group("");  // hidden
  command->add_option("WORD", *words, "All words up to the cursor, the last may be empty");
  command->footer("Examples:\n  whisper-s4y complete -- convert --quantize in");
  command->callback([&app, words] { complete(app, *words); });
}

}  // namespace whisper_s4y
