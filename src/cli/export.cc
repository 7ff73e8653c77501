// whisper-s4y export: a checkpoint in the format of another program.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/commands.h"
#include "cli/console.h"
#include "cli/option_values.h"
#include "cli/progress.h"
#include "cli/pull_progress.h"
#include "common/utf8.h"
#include "hub/repository.h"
#include "whisper_s4y/checkpoint.h"

namespace whisper_s4y {
namespace {

struct ExportArguments {
  std::string checkpoint;        // path, or a name that the hub knows
  std::filesystem::path folder;  // where the files go
  std::string format;            // as export_checkpoint() takes it
  bool quiet = false;            // no progress, no summary
};

void run_export(const ExportArguments& arguments) {
  const Stopwatch watch;
  const ExportResult result = export_checkpoint(
      arguments.checkpoint, arguments.folder, arguments.format, {}, pull_progress(arguments.quiet));
  if (arguments.quiet) return;
  print_err("Wrote {} from {} format as {} to {} in {}.\n", result.name, result.checkpoint_format,
            arguments.format, visible(arguments.folder.string()), format_duration(watch.seconds()));
}

}  // namespace

void add_export_command(CLI::App& app) {
  auto arguments = std::make_shared<ExportArguments>();
  CLI::App* command = app.add_subcommand(
      "export",
      "Write a checkpoint in another program's format. It can be read in any of them; the weights "
      "keep their values.");
  CLI::Option* checkpoint =
      command
          ->add_option("CHECKPOINT", arguments->checkpoint,
                       "A file or folder, or the name of a model on the Hugging Face hub, as "
                       "convert takes it")
          ->required();
  offer_values(*checkpoint, known_model_names());
  CLI::Option* format =
      command
          ->add_option("-f,--format", arguments->format,
                       "safetensors (Hugging Face), openai (a .pt file), ggml (whisper.cpp) or "
                       "ctranslate2 (faster-whisper)")
          ->required()
          ->type_name("FORMAT");
  limit_values(*format, export_formats());
  command->add_option("-o,--output", arguments->folder, "Folder to write to")
      ->required()
      ->type_name("DIR");
  command->add_flag("-q,--quiet", arguments->quiet, "Show no progress");
  command->footer(
      "Examples:\n"
      "  whisper-s4y export ggml-base.bin -f safetensors -o whisper-base/\n"
      "  whisper-s4y export base -f ggml -o ggml/");
  command->callback([arguments] { run_export(*arguments); });
}

}  // namespace whisper_s4y
