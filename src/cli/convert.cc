// whisper-s4y convert: a checkpoint becomes one .tflite file.
#include "whisper_s4y/convert.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/console.h"
#include "cli/model_options.h"
#include "cli/progress.h"
#include "cli/pull_progress.h"
#include "common/utf8.h"
#include "whisper_s4y/checkpoint.h"

namespace whisper_s4y {
namespace {

constexpr const char* kAll = "all";

struct ConvertArguments {
  std::string checkpoint;        // path, or a name that the hub knows
  std::filesystem::path output;  // the .tflite file, or the folder for all parts
  ConvertOptions options;        // its part may be "all" of them
  bool quiet = false;            // no progress, no summary
};

/// What of the options a part can have that is one of all.
ConvertOptions options_of_part(ConvertOptions options, const std::string& part) {
  if (options.part == part) return options;
  options.part = part;
  const ConvertOptions defaults;
  if (part == "features-extractor" || part == "encoder" || part == "pcm-encoder") {
    options.language = defaults.language;
    options.task = defaults.task;
    options.timestamps = defaults.timestamps;
    options.max_length = defaults.max_length;
  }
  return options;
}

void run_convert(const ConvertArguments& arguments) {
  const Stopwatch watch;
  std::vector<std::string> parts = {arguments.options.part};
  if (arguments.options.part == kAll) {
    parts = part_names();
    std::erase(parts, "bundle");
  }
  for (const std::string& part : parts) options_of_part(arguments.options, part).validate();
  const std::filesystem::path checkpoint =
      resolve_checkpoint(arguments.checkpoint, {}, pull_progress(arguments.quiet));
  if (parts.size() > 1) std::filesystem::create_directories(arguments.output);

  uint64_t bytes = 0;
  ConvertResult result;
  for (const std::string& part : parts) {
    const bool one = parts.size() == 1;
    const auto file = one ? arguments.output : arguments.output / (part + ".tflite");
    Progress progress("Converting to " + file.filename().string(), Progress::Unit::bytes,
                      arguments.quiet);
    ConvertCallbacks callbacks;
    callbacks.on_progress = [&](uint64_t done, uint64_t total) { progress.update(done, total); };
    if (bytes == 0) {  // the same for every part
      callbacks.on_warning = [&](const std::string& warning) {
        progress.clear();
        print_warning(warning);
      };
    }
    result =
        convert(checkpoint.string(), file, options_of_part(arguments.options, part), callbacks);
    bytes += result.file_size;
  }
  if (arguments.quiet) return;
  print_err(
      "Wrote {} ({}; encoder {}, decoder {}, embedding {}{}) from a checkpoint in {} format "
      "in {}.\n",
      visible(arguments.output.string()), format_bytes(bytes), result.encoder, result.decoder,
      result.embedding, result.has_exceptions ? ", with exceptions" : "", result.checkpoint_format,
      format_duration(watch.seconds()));
}

void add_quantize_options(CLI::App& command, ConvertArguments& arguments) {
  constexpr const char* kGroup = "Number format of the weights (docs/quantization.md)";
  CLI::Option* quantize =
      command
          .add_option("--quantize", arguments.options.quantize,
                      "none keeps float32; fp16 halves the file; int8 quarters it, decodes faster "
                      "and is as "
                      "good; mixed and int4 are smaller still, with more errors")
          ->check(CLI::IsMember(quantization_names()).description(""))
          ->type_name("FORMAT")
          ->capture_default_str()
          ->group(kGroup);
  const auto side = [&](const char* name, std::string& format, const char* what) {
    command.add_option(name, format, what)
        ->check(CLI::IsMember({"none", "fp16", "int8", "int4"}).description(""))
        ->type_name("FORMAT")
        ->group(kGroup);
  };
  side("--encoder-quantize", arguments.options.encoder_quantize, "Another format for the encoder");
  side("--decoder-quantize", arguments.options.decoder_quantize, "Another format for the decoder");
  side("--embedding-quantize", arguments.options.embedding_quantize,
       "Another format for the token embedding, which is the output matrix too");
  command
      .add_option(
          "--quantize-recipe", arguments.options.quantize_recipe,
          "Take the formats from a JSON file, which may name exceptions for single matrices")
      ->type_name("FILE.json")
      ->excludes(quantize)
      ->group(kGroup);
}

/// With what the command offers beside: all parts.
std::vector<std::string> all_part_names() {
  std::vector<std::string> names = part_names();
  names.emplace_back(kAll);
  return names;
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
                   "(tiny.en, base, turbo, owner/name), which is downloaded once unless the cache "
                   "of huggingface_hub has it")
      ->required();
  command
      ->add_option("-o,--output", arguments->output,
                   "The file to write; with --part all the folder")
      ->required()
      ->type_name("FILE.tflite");
  add_quantize_options(*command, *arguments);
  command
      ->add_option("--part", arguments->options.part,
                   fmt::format("What to write: {}. The bundle has every signature; a part alone "
                               "has one, serving_default; all writes them side by side",
                               fmt::join(all_part_names(), ", ")))
      ->check(CLI::IsMember(all_part_names()).description(""))
      ->type_name("PART")
      ->capture_default_str();
  command
      ->add_option("--compat", arguments->options.compat,
                   "The oldest interpreter that must run the file: litert, or 2.14 for TensorFlow "
                   "Lite 2.14, the last tflite-runtime")
      ->check(CLI::IsMember({"litert", "2.14"}).description(""))
      ->type_name("VERSION")
      ->capture_default_str();
  command->add_flag_callback(
      "--no-text-strings", [arguments] { arguments->options.text_strings = false; },
      "transcribe gives its text as bytes alone, not as a string tensor too, which LiteRT's "
      "CompiledModel does not know");
  constexpr const char* kPrompt =
      "Prompt inside (of serving_default; transcribe chooses its own at run time)";
  const std::vector<CLI::Option*> prompt_options = {
      command
          ->add_option("--language", arguments->options.language,
                       "Language of the speech, a code (de) or a name (German); without it the "
                       "model detects it")
          ->type_name("LANG"),
      command
          ->add_option("--task", arguments->options.task, "transcribe, or translate into English")
          ->check(CLI::IsMember({"transcribe", "translate"}).description(""))
          ->type_name("TASK")
          ->capture_default_str(),
      command->add_flag("--timestamps", arguments->options.timestamps,
                        "Give timestamps among the tokens"),
      command
          ->add_option("--max-length", arguments->options.max_length,
                       "Most tokens, those of the prompt included")
          ->type_name("N")
          ->capture_default_str(),
  };
  for (CLI::Option* option : prompt_options) option->group(kPrompt);
  command->add_flag_callback(
      "--no-verify", [arguments] { arguments->options.verify = false; },
      "Do not try the file: without this what runs in no time is run, and a file "
      "that fails is not kept: what was there before stays");
  command->add_flag("-q,--quiet", arguments->quiet, "Show no progress");
  command->footer(
      "Examples:\n"
      "  whisper-s4y convert whisper-base/ -o whisper-base.tflite\n"
      "  whisper-s4y convert ggml-small.bin -o whisper-small.tflite --quantize int8\n"
      "  whisper-s4y convert turbo -o whisper-turbo.tflite --quantize int8\n"
      "  whisper-s4y convert base -o encoder-decoder.tflite --part encoder-decoder --language ar\n"
      "  whisper-s4y convert tiny -o parts/ --part all --quantize int8 --compat 2.14");
  command->callback([arguments] { run_convert(*arguments); });
}

}  // namespace whisper_s4y
