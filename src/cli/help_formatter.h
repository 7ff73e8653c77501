// Help texts that fit a page of 100 columns; docs/cli.md is made of them.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace whisper_s4y {

/// The first sentence of a description, or what stands before its colon, without a full stop.
[[nodiscard]] std::string summary_of(const std::string& description);

/// What an option does, and its default or that it is required.
[[nodiscard]] std::string help_of(const CLI::Option& option);

/// The commands that are shown to users.
[[nodiscard]] std::vector<const CLI::App*> shown_commands(const CLI::App& app);

class HelpFormatter : public CLI::Formatter {
 public:
  HelpFormatter() { label("SUBCOMMAND", "COMMAND"), label("Subcommands", "Commands"); }

  std::string make_help(const CLI::App* app, std::string name,
                        CLI::AppFormatMode mode) const override;

 protected:
  std::string make_description(const CLI::App* app) const override;
  std::string make_option(const CLI::Option* option, bool is_positional) const override;
  std::string make_subcommand(const CLI::App* command) const override;
};

}  // namespace whisper_s4y
