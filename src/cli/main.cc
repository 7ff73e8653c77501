// whisper-s4y: the program. Exit codes: 0 done, 1 an error that was told, 2 wrong usage, 128 + n
// ended by signal n (130 for Ctrl-C).
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <memory>

#include "cli/commands.h"
#include "cli/help_formatter.h"
#include "cli/signals.h"
#include "whisper_s4y/error.h"
#include "whisper_s4y/version.h"

namespace whisper_s4y {
namespace {

constexpr int kFailure = 1;
constexpr int kWrongUsage = 2;

/// A full disk or a closed pipe shows only when the last of the output is written.
void flush_stdout() {
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    fail("Cannot write to the standard output: {}.", std::strerror(errno));
  }
}

int run(int argc, char** argv) {
  CLI::App app{
      "OpenAI Whisper on LiteRT: turns checkpoints into .tflite models and transcribes "
      "recordings with them."};
  app.name("whisper-s4y");
  app.formatter(std::make_shared<HelpFormatter>());  // the commands inherit it
  app.set_help_flag("-h,--help", "Show this help and exit");
  app.set_version_flag("--version", fmt::format("whisper-s4y {}", kVersion),
                       "Show the version and exit");
  app.require_subcommand(1);
  app.footer(
      "Examples:\n"
      "  whisper-s4y convert base -o whisper-base.tflite\n"
      "  whisper-s4y transcribe whisper-base.tflite talk.mp3\n"
      "`whisper-s4y COMMAND --help` tells more of each.");
  add_convert_command(app);
  add_transcribe_command(app);
  add_listen_command(app);
  add_inspect_command(app);
  add_features_command(app);
  add_evaluate_command(app);
  add_verify_command(app);
  add_pull_command(app);
  add_export_command(app);
  for (CLI::App* command : app.get_subcommands({})) command->group("Commands");
  try {
    app.parse(argc, argv);
    flush_stdout();
    return 0;
  } catch (const CLI::Success& asked) {  // --help, --version
    app.exit(asked);
    flush_stdout();
    return 0;
  } catch (const CLI::ParseError& error) {
    fmt::print(
        stderr, "whisper-s4y: {}\nTry `whisper-s4y{} --help`.\n", error.what(),
        app.get_subcommands().empty() ? "" : " " + app.get_subcommands().front()->get_name());
    return kWrongUsage;
  } catch (const AlreadyReported&) {
    std::fflush(stdout);
    return kFailure;
  }
}

}  // namespace
}  // namespace whisper_s4y

int main(int argc, char** argv) {
  whisper_s4y::install_signal_handlers();
  try {
    return whisper_s4y::run(argc, argv);
  } catch (const std::bad_alloc&) {
    fmt::print(stderr, "whisper-s4y: There is not enough memory.\n");
  } catch (const std::exception& error) {
    fmt::print(stderr, "whisper-s4y: {}\n", error.what());
  }
  return whisper_s4y::kFailure;
}
