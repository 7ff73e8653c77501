// Help texts that fit a page of 100 columns; docs/cli.md is made of them.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace whisper_s4y {

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
