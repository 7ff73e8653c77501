// whisper-s4y: the program. Exit codes: 0 done, 1 an error that was told, 2 wrong usage, 128 + n
// ended by signal n (130 for Ctrl-C).
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <exception>
#include <memory>

#include "audio/ffmpeg_process.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "cli/help_formatter.h"
#include "cli/signals.h"
#include "common/boundary.h"
#include "options/option_error.h"
#include "whisper_s4y/error.h"
#include "whisper_s4y/version.h"

namespace whisper_s4y {
namespace {

constexpr int kFailure = 1;
constexpr int kWrongUsage = 2;

int wrong_usage(const CLI::App& app, const std::string& message) {
  const auto commands = app.get_subcommands();
  print_err("whisper-s4y: {}\nTry `whisper-s4y{} --help`.\n", message,
            commands.empty() ? "" : " " + commands.front()->get_name());
  return kWrongUsage;
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
      "Exit codes: 0 done; 1 an error, told in one sentence; 2 wrong usage; 130 interrupted.\n\n"
      "Examples:\n"
      "  whisper-s4y convert base -o whisper-base.tflite\n"
      "  whisper-s4y transcribe whisper-base.tflite talk.mp3\n"
      "`whisper-s4y COMMAND --help` tells more of each.");
  add_convert_command(app);
  add_transcribe_command(app);
  add_listen_command(app);
#ifdef WHISPER_S4Y_SERVER
  add_serve_command(app);
#endif
  add_inspect_command(app);
  add_features_command(app);
  add_evaluate_command(app);
  add_verify_command(app);
  add_pull_command(app);
  add_export_command(app);
  add_completion_command(app);
  for (CLI::App* command : app.get_subcommands({})) command->group("Commands");
  add_complete_command(app);
  add_man_pages_command(app);
#ifdef WHISPER_S4Y_SERVER
  add_openapi_command(app);
#endif
  try {
    app.parse(argc, argv);
    flush_out();  // a full disk or a closed pipe may show only now
    return 0;
  } catch (const CLI::Success& asked) {  // --help, --version
    app.exit(asked);
    flush_out();
    return 0;
  } catch (const OptionError& error) {
    if (error.code() != ErrorCode::invalid_argument) throw;  // the model is to blame as well
    return wrong_usage(app, error.usage());
  } catch (const CLI::ParseError& error) {
    return wrong_usage(app, error.what());
  } catch (const AlreadyReported&) {
    flush_out();
    return kFailure;
  }
}

void report_current_exception() {
  try {
    rethrow_as_error();
  } catch (const Error& error) {
    print_err("whisper-s4y: {}\n", error.what());
  }
}

}  // namespace
}  // namespace whisper_s4y

#ifdef WHISPER_S4Y_PROGRAM_IN_LIBRARY  // as the Python wheel has it
extern "C" WHISPER_S4Y_API int whisper_s4y_main(int argc, char** argv) {
#else
int main(int argc, char** argv) {
#endif
  whisper_s4y::reserve_standard_descriptors();
  whisper_s4y::install_signal_handlers();
  whisper_s4y::silence_ffmpeg();
  whisper_s4y::limit_ffmpeg_memory();
  try {
    return whisper_s4y::run(argc, argv);
  } catch (const whisper_s4y::OutputClosed&) {
    return 128 + SIGPIPE;
  } catch (...) {
    whisper_s4y::report_current_exception();
  }
  return whisper_s4y::kFailure;
}
