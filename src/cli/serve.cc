// whisper-s4y serve: an HTTP server.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/console.h"
#include "cli/option_flags.h"
#include "cli/other_sources.h"
#include "cli/signals.h"
#include "server/openapi.h"
#include "server/server.h"

namespace whisper_s4y {
namespace {

struct ServeArguments {
  std::vector<std::string> models;  // MODEL.tflite or NAME=MODEL.tflite
  server::ServeOptions options;
};

// A key that a script has forgotten to set must not open the server.
void check_keys(const CLI::App& command) {
  const char* from_environment = std::getenv("WHISPER_S4Y_API_KEY");
  const CLI::Option* given = command.get_option("--api-key");
  const bool is_empty = given->count() > 0
                            ? std::ranges::all_of(given->results(), &std::string::empty)
                            : from_environment != nullptr && *from_environment == '\0';
  if (is_empty) throw CLI::ValidationError("--api-key", "the key is empty");
}

void run_serve(const ServeArguments& arguments) {
  arguments.options.validate();
  std::vector<server::ModelName> models(arguments.models.size());
  std::ranges::transform(arguments.models, models.begin(), server::ModelName::parse);
  server::Server server(arguments.options, models);
  catch_first_signal();
  print_err("Serving {} at http://{}:{}. Ctrl-C ends it.\n", models.front().name,
            arguments.options.host, server.port());
  server.run([] { return caught_signal() != 0; });
}

}  // namespace

void add_serve_command(CLI::App& app) {
  auto arguments = std::make_shared<ServeArguments>();
  CLI::App* command = app.add_subcommand(
      "serve",
      "Serve transcriptions over HTTP, as OpenAI's API does and whisper.cpp's server. Every option "
      "can also stand in the environment, WHISPER_S4Y_PORT for --port, and in a file.");
  add_config_file(*command);
  command
      ->add_option("MODEL", arguments->models,
                   "A .tflite file that `convert` has written, or NAME=FILE; the first one serves "
                   "whoever asks for none by its name")
      ->required();
  add_flags(*command, arguments->options);
  command->footer(
      "Examples:\n"
      "  whisper-s4y serve whisper-base.tflite\n"
      "  whisper-s4y serve base=whisper-base.tflite small=whisper-small.tflite --host 0.0.0.0 "
      "--api-key-file keys.txt\n"
      "  whisper-s4y serve --config server.toml\n"
      "  curl http://127.0.0.1:8080/v1/audio/transcriptions -F model=base -F file=@talk.mp3\n"
      "docs/server.md tells of clients, limits and metrics.");
  take_options_from_environment(*command);
  command->callback([arguments, command] {
    check_keys(*command);
    run_serve(*arguments);
  });
}

void add_openapi_command(CLI::App& app) {
  CLI::App* command = app.add_subcommand("openapi", "Print the description of the server's API");
  command->group("");  // for docs/openapi.yaml
  command->callback([] { print_out("{}", server::openapi_yaml()); });
}

}  // namespace whisper_s4y
