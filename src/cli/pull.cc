// whisper-s4y pull: a checkpoint from the Hugging Face hub.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/commands.h"
#include "cli/console.h"
#include "cli/option_values.h"
#include "cli/progress.h"
#include "cli/pull_progress.h"
#include "hub/repository.h"

namespace whisper_s4y {
namespace {

struct PullArguments {
  std::string name;               // of the model
  std::filesystem::path folder;   // where it goes
  std::string revision = "main";  // branch, tag or commit
  bool quiet = false;             // no progress, no summary
};

void run_pull(const PullArguments& arguments) {
  const Stopwatch watch;
  PullOptions options;
  options.revision = arguments.revision;
  pull(arguments.name, arguments.folder, options, pull_progress(arguments.quiet));
  if (arguments.quiet) return;
  print_err("{} is in {}, {}.\n", repository_of(arguments.name), arguments.folder.string(),
            format_duration(watch.seconds()));
}

}  // namespace

void add_pull_command(CLI::App& app) {
  auto arguments = std::make_shared<PullArguments>();
  CLI::App* command = app.add_subcommand(
      "pull",
      "Download a checkpoint from the Hugging Face hub: configuration, tokenizer and "
      "weights. What an earlier try has begun is continued; sizes and hashes are checked.");
  CLI::Option* name = command
                          ->add_option("NAME", arguments->name,
                                       fmt::format("One of {}, or the owner/name of a repository",
                                                   fmt::join(known_model_names(), ", ")))
                          ->required();
  offer_values(*name, known_model_names());
  command->add_option("-o,--output", arguments->folder, "Folder to put the files in")
      ->required()
      ->type_name("DIR");
  command->add_option("--revision", arguments->revision, "Branch, tag or commit")
      ->type_name("NAME")
      ->capture_default_str();
  command->add_flag("-q,--quiet", arguments->quiet, "Show no progress");
  command->footer(
      "HF_ENDPOINT gives another hub's address, HF_TOKEN a token for private models; with "
      "HF_HUB_OFFLINE=1 no connection is made.\n\n"
      "Examples:\n"
      "  whisper-s4y pull tiny.en -o checkpoints/tiny.en\n"
      "  whisper-s4y pull openai/whisper-large-v3-turbo -o checkpoints/turbo");
  command->callback([arguments] { run_pull(*arguments); });
}

}  // namespace whisper_s4y
