// whisper-s4y convert: a checkpoint becomes one .tflite file.
#include "models/convert.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "checkpoint/checkpoint.h"
#include "cli/commands.h"
#include "cli/progress.h"
#include "cli/pull_progress.h"

namespace whisper_s4y {
namespace {

struct ConvertArguments {
  std::string checkpoint;         // path, or a name that the hub knows
  std::filesystem::path output;   // the .tflite file
  std::string quantize = "none";  // number format of the weights
  bool quiet = false;             // no progress, no summary
};

void run_convert(const ConvertArguments& arguments) {
  const Stopwatch watch;
  const std::filesystem::path path =
      resolve_checkpoint(arguments.checkpoint, hub_options_with_progress(arguments.quiet));
  const std::unique_ptr<Checkpoint> checkpoint = open_checkpoint(path);

  const WeightFormat format = weight_format(arguments.quantize);
  ConvertOptions options;
  options.recipe = {.encoder = format, .decoder = format, .embedding = format, .exceptions = {}};
  ConvertResult result;
  {
    Progress progress("Converting " + checkpoint->info.name, Progress::Unit::bytes,
                      arguments.quiet);
    options.progress = [&](uint64_t done, uint64_t total) { progress.update(done, total); };
    result = convert(*checkpoint, arguments.output, options);
  }
  if (arguments.quiet) return;
  fmt::print(stderr, "Wrote {} ({}, weights {}) from a checkpoint in {} format in {}.\n",
             arguments.output.string(), format_bytes(result.file_size), name_of(format),
             checkpoint->format, format_duration(watch.seconds()));
}

}  // namespace

void add_convert_command(CLI::App& app) {
  auto arguments = std::make_shared<ConvertArguments>();
  CLI::App* command = app.add_subcommand(
      "convert",
      "Convert a Whisper checkpoint into one .tflite file with everything inside: front end, "
      "encoder, decoder, tokenizer and configuration.");
  command
      ->add_option("CHECKPOINT", arguments->checkpoint,
                   "A file or folder: safetensors, pytorch_model.bin, OpenAI's .pt, ggml or "
                   "CTranslate2, found by content. Or the name of a model on the Hugging Face hub "
                   "(tiny.en, base, turbo, owner/name), which is downloaded once")
      ->required();
  command->add_option("-o,--output", arguments->output, "The file to write")
      ->required()
      ->type_name("FILE.tflite");
  command
      ->add_option("--quantize", arguments->quantize,
                   "Number format of the weights: none keeps float32, fp16 halves the file, int8 "
                   "quarters it and decodes faster")
      ->check(CLI::IsMember({"none", "fp16", "int8"}).description(""))
      ->type_name("FORMAT")
      ->capture_default_str();
  command->add_flag("-q,--quiet", arguments->quiet, "Show no progress");
  command->footer(
      "Examples:\n"
      "  whisper-s4y convert whisper-base/ -o whisper-base.tflite\n"
      "  whisper-s4y convert ggml-small.bin -o whisper-small.tflite --quantize int8\n"
      "  whisper-s4y convert turbo -o whisper-turbo.tflite --quantize int8");
  command->callback([arguments] { run_convert(*arguments); });
}

}  // namespace whisper_s4y
