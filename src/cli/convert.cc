// whisper-s4y convert: a checkpoint becomes one .tflite file.
#include "whisper_s4y/convert.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/console.h"
#include "cli/model_options.h"
#include "cli/option_flags.h"
#include "cli/option_values.h"
#include "cli/progress.h"
#include "cli/pull_progress.h"
#include "common/fail.h"
#include "common/utf8.h"
#include "conversion/convert_options.h"
#include "hub/repository.h"
#include "vad/silero_detector.h"
#include "whisper_s4y/checkpoint.h"

namespace whisper_s4y {
namespace {

constexpr std::string_view kAll = "all";
constexpr std::string_view kVad = "vad";
constexpr auto kParts = [] {
  std::array<std::string_view, kConvertParts.size() + 2> parts{};
  auto more = std::ranges::copy(kConvertParts, parts.begin()).out;
  *more++ = kAll;
  *more = kVad;
  return parts;
}();

struct ConvertArguments {
  std::string checkpoint;         // path, or a name that the hub knows
  std::filesystem::path output;   // the .tflite file, or the folder for all parts
  std::string part{kBundlePart};  // or another, or all of them
  ConvertOptions options;         // for the part
  bool quiet = false;             // no progress, no summary
};

constexpr Option kRows[] = {
    option<&ConvertArguments::part>(
        "part",
        "What to write: bundle, features-extractor, encoder, decoder, encoder-decoder, "
        "pcm-encoder, generator, all, vad. The bundle has every signature; a part alone has one, "
        "serving_default; all writes them side by side; vad is the program's own voice activity "
        "detector (docs/vad.md), of no checkpoint",
        {.choices = kParts, .metavar = "PART"}),
    option<&ConvertArguments::options>("options", "How the checkpoint is converted"),
};

/// Of several parts each has what it can have of the options.
ConvertOptions options_of(const ConvertArguments& arguments, const std::string& part) {
  ConvertOptions options = arguments.options;
  options.part = part;
  const ConvertOptions defaults;
  if (arguments.part == kAll && !has_prompt(part)) {
    options.language = defaults.language;
    options.task = defaults.task;
    options.timestamps = defaults.timestamps;
    options.max_length = defaults.max_length;
  }
  return options;
}

/// The detector is part of the program: nothing is converted, and no option says how.
void run_write_vad(const CLI::App& command, const ConvertArguments& arguments) {
  for (const CLI::Option* option : command.get_options()) {
    const std::string name = option->get_name();
    const bool counts = name == "--output" || name == "--part" || name == "--quiet";
    if (!counts && option->count() > 0) {
      fail_option("{}: --part vad takes nothing but --output.", name);
    }
  }
  write_silero_vad(arguments.output);
  if (arguments.quiet) return;
  print_err("Wrote {} ({}).\n", visible(arguments.output.string()),
            format_bytes(std::filesystem::file_size(arguments.output)));
}

void run_convert(const ConvertArguments& arguments) {
  const Stopwatch watch;
  std::vector<std::string> parts = {arguments.part};
  if (arguments.part == kAll) {
    parts = part_names();
    std::erase(parts, kBundlePart);
  }
  for (const std::string& part : parts) options_of(arguments, part).validate();
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
    result = convert(checkpoint.string(), file, options_of(arguments, part), callbacks);
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

}  // namespace

void add_convert_command(CLI::App& app) {
  auto arguments = std::make_shared<ConvertArguments>();
  CLI::App* command = app.add_subcommand(
      "convert",
      "Convert a Whisper checkpoint into one .tflite file with everything inside: front end, "
      "encoder, decoder, tokenizer and configuration.");
  CLI::Option* checkpoint = command->add_option(
      "CHECKPOINT", arguments->checkpoint,
      "A file or folder: safetensors, pytorch_model.bin, OpenAI's .pt, ggml or "
      "CTranslate2, found by content. Or the name of a model on the Hugging Face hub "
      "(tiny.en, base, turbo, owner/name), which is downloaded once unless the cache "
      "of huggingface_hub has it");
  offer_values(*checkpoint, known_model_names());
  command
      ->add_option("-o,--output", arguments->output,
                   "The file to write; with --part all the folder")
      ->required()
      ->type_name("FILE.tflite");
  static const OptionTable table = table_of<ConvertArguments>(kRows);
  add_flags(
      *command, table, [arguments]() -> void* { return arguments.get(); }, arguments.get());
  command->add_flag("-q,--quiet", arguments->quiet, "Show no progress");
  command->footer(
      "Examples:\n"
      "  whisper-s4y convert whisper-base/ -o whisper-base.tflite\n"
      "  whisper-s4y convert ggml-small.bin -o whisper-small.tflite --quantize int8\n"
      "  whisper-s4y convert turbo -o whisper-turbo.tflite --quantize int8\n"
      "  whisper-s4y convert base -o whisper-base.tflite --target-size 65MB\n"
      "  whisper-s4y convert base -o encoder-decoder.tflite --part encoder-decoder --language ar\n"
      "  whisper-s4y convert tiny -o parts/ --part all --quantize int8 --compat 2.14\n"
      "  whisper-s4y convert --part vad -o silero-vad.tflite");
  command->callback([arguments, command, checkpoint] {
    if (arguments->part == kVad) return run_write_vad(*command, *arguments);
    if (checkpoint->count() == 0) throw CLI::RequiredError("CHECKPOINT");
    run_convert(*arguments);
  });
}

}  // namespace whisper_s4y
