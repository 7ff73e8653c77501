#include "cli/other_sources.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cctype>
#include <filesystem>
#include <string>

#include "common/fail.h"

namespace whisper_s4y {
namespace {

constexpr std::string_view kPrefix = "WHISPER_S4Y_";

std::string environment_name(const std::string& option) {
  std::string name(kPrefix);
  for (const char c : option) {
    name += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return name;
}

// "max-upload" of the file is --max-upload, "model" the positional MODEL.
CLI::Option* find(CLI::App& command, const std::string& key) {
  if (CLI::Option* option = command.get_option_no_throw("--" + key)) return option;
  std::string name = key;
  for (char& c : name) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return command.get_option_no_throw(name);
}

void take(CLI::App& command, const CLI::ConfigItem& item, const std::string& file) {
  if (item.name == "++" || item.name == "--") return;  // a section's begin and end
  CLI::Option* option = item.parents.empty() ? find(command, item.name) : nullptr;
  if (option == nullptr || !option->get_configurable()) {
    throw CLI::ValidationError(
        "--config", fmt::format("{} sets \"{}\", which is no option", file, item.fullname()));
  }
  if (option->count() > 0) return;  // said otherwise
  if (option->get_expected_min() == 0) {
    option->add_result(option->get_flag_value(item.name, item.inputs.front()));
  } else {
    option->add_result(item.inputs);
  }
}

// What a flag may be where it does not stand alone.
std::string is_switch(const std::string& text) {
  for (const char* allowed : {"true", "false", "1", "0", "on", "off", "yes", "no"}) {
    if (text == allowed) return {};
  }
  return fmt::format("expected true or false, not \"{}\"", one_line(text));
}

void read_file(CLI::App& command, const std::string& file) {
  if (!std::filesystem::is_regular_file(file)) {
    fail(ErrorCode::io, "Cannot read the options in {}: that is no file.", file);
  }
  for (const CLI::ConfigItem& item : CLI::ConfigTOML().from_file(file)) take(command, item, file);
}

}  // namespace

void take_options_from_environment(CLI::App& command) {
  for (CLI::Option* option : command.get_options()) {
    const std::vector<std::string>& names = option->get_lnames();
    if (names.empty() || names.front() == "help") continue;
    option->envname(environment_name(names.front()));
    if (option->get_expected_min() == 0) option->check(is_switch);
  }
}

void add_config_file(CLI::App& command) {
  // It comes first, so that the others find what it says.
  command
      .add_option_function<std::string>(
          "--config", [&command](const std::string& file) { read_file(command, file); },
          "File with options, in TOML: port = 8080; model = [\"base=whisper-base.tflite\"]. The "
          "command line and the environment count before it")
      ->type_name("FILE")
      ->configurable(false);
}

}  // namespace whisper_s4y
