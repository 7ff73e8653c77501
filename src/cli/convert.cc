// whisper-s4y convert: a checkpoint becomes one .tflite file.
#include "models/convert.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/checkpoint_input.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "cli/progress.h"
#include "common/fail.h"
#include "tokenizer/languages.h"
#include "verify/check_signatures.h"

namespace whisper_s4y {
namespace {

constexpr const char* kBundle = "bundle";
constexpr const char* kAll = "all";

struct ConvertArguments {
  std::string checkpoint;               // path, or a name that the hub knows
  std::filesystem::path output;         // the .tflite file, or the folder for all parts
  std::string quantize = "none";        // a recipe by name
  std::filesystem::path recipe;         // or in a file
  std::string encoder_quantize;         // replace the recipe's; empty: as it says
  std::string decoder_quantize;         //
  std::string embedding_quantize;       //
  std::string part = kBundle;           // or one part of the Python package alone, or all of them
  std::string compat = "litert";        // the oldest interpreter that must run the file
  bool no_text_strings = false;         // transcribe gives its text as bytes alone
  std::optional<std::string> language;  // of the prompt inside; nothing: detected
  std::string task = "transcribe";      // of the prompt inside
  bool timestamps = false;              // in what the prompt inside asks for
  int max_length = 448;                 // tokens of the prompt inside and its answer
  bool no_verify = false;               // do not run the file once it is written
  bool quiet = false;                   // no progress, no summary

  [[nodiscard]] bool is_bundle() const { return part == kBundle; }
};

/// Whether the file will hold a signature that gives tokens from a prompt inside.
bool has_prompt(const ConvertArguments& arguments) {
  if (arguments.is_bundle() || arguments.part == kAll) return true;
  switch (part_of_name(arguments.part)) {
    case Part::decoder:
    case Part::encoder_decoder:
    case Part::generator:
      return true;
    case Part::features_extractor:
    case Part::encoder:
    case Part::pcm_encoder:
      break;
  }
  return false;
}

PromptDefaults prompt_of(const ConvertArguments& arguments, const ModelInfo& info) {
  PromptDefaults prompt{.language_token = -1,
                        .translate = arguments.task == "translate",
                        .timestamps = arguments.timestamps,
                        .max_length = arguments.max_length};
  const GenerationConfig& generation = info.generation;
  if (!generation.is_multilingual && prompt.translate) {
    fail(ErrorCode::unsupported, "{} knows English only and cannot translate.", info.name);
  }
  if (!arguments.language) return prompt;
  const std::string_view code = language_code(*arguments.language);
  if (generation.is_multilingual) {
    prompt.language_token = generation.language_token(code);
    if (prompt.language_token < 0) {
      fail(ErrorCode::unsupported, "{} does not know {}.", info.name, language_name(code));
    }
  } else if (code != "en") {
    fail(ErrorCode::unsupported, "{} knows English only, not {}.", info.name, language_name(code));
  }
  return prompt;
}

WeightRecipe recipe_of(const ConvertArguments& arguments) {
  WeightRecipe recipe =
      arguments.recipe.empty() ? recipe_of_name(arguments.quantize) : read_recipe(arguments.recipe);
  if (!arguments.encoder_quantize.empty()) {
    recipe.set_encoder(weight_format(arguments.encoder_quantize));
  }
  if (!arguments.decoder_quantize.empty()) {
    recipe.set_decoder(weight_format(arguments.decoder_quantize));
  }
  if (!arguments.embedding_quantize.empty()) {
    recipe.set_embedding(weight_format(arguments.embedding_quantize));
  }
  return recipe;
}

void run_convert(const ConvertArguments& arguments) {
  const Stopwatch watch;
  ConvertOptions options;
  options.defaults.max_length = arguments.max_length;
  options.validate();  // before anything is downloaded or read
  const std::unique_ptr<Checkpoint> checkpoint =
      open_by_name(arguments.checkpoint, arguments.quiet);

  options.recipe = recipe_of(arguments);
  options.defaults = prompt_of(arguments, checkpoint->info);
  options.compatibility =
      arguments.compat == "2.14" ? Compatibility::tflite_2_14 : Compatibility::litert;
  options.text_strings = !arguments.no_text_strings;

  uint64_t bytes = 0;
  const auto write = [&](const std::string& what, const auto& convert_it) {
    Progress progress("Converting " + what, Progress::Unit::bytes, arguments.quiet);
    options.progress = [&](uint64_t done, uint64_t total) { progress.update(done, total); };
    bytes += convert_it().file_size;
  };
  if (!arguments.no_verify) options.check = check_quickly;
  if (arguments.part == kAll) {
    std::filesystem::create_directories(arguments.output);
    for (const Part part : all_parts()) {
      const auto file = arguments.output / fmt::format("{}.tflite", name_of(part));
      write(fmt::format("{}, {}", checkpoint->info.name, name_of(part)),
            [&] { return convert_part(*checkpoint, part, file, options); });
    }
  } else {
    write(checkpoint->info.name, [&] {
      return arguments.is_bundle() ? convert(*checkpoint, arguments.output, options)
                                   : convert_part(*checkpoint, part_of_name(arguments.part),
                                                  arguments.output, options);
    });
  }
  if (arguments.quiet) return;
  const WeightRecipe& recipe = options.recipe;
  print_err(
      "Wrote {} ({}; encoder {}, decoder {}, embedding {}{}) from a checkpoint in {} format "
      "in {}.\n",
      arguments.output.string(), format_bytes(bytes), name_of(recipe.encoder),
      name_of(recipe.decoder), name_of(recipe.embedding),
      recipe.exceptions.empty() ? "" : ", with exceptions", checkpoint->format,
      format_duration(watch.seconds()));
}

void add_quantize_options(CLI::App& command, ConvertArguments& arguments) {
  constexpr const char* kGroup = "Number format of the weights (docs/quantization.md)";
  CLI::Option* quantize =
      command
          .add_option("--quantize", arguments.quantize,
                      "none keeps float32; fp16 halves the file; int8 quarters it, decodes faster "
                      "and is as "
                      "good; mixed and int4 are smaller still, with more errors")
          ->check(CLI::IsMember(recipe_names()).description(""))
          ->type_name("FORMAT")
          ->capture_default_str()
          ->group(kGroup);
  const auto side = [&](const char* name, std::string& format, const char* what) {
    command.add_option(name, format, what)
        ->check(CLI::IsMember({"none", "fp16", "int8", "int4"}).description(""))
        ->type_name("FORMAT")
        ->group(kGroup);
  };
  side("--encoder-quantize", arguments.encoder_quantize, "Another format for the encoder");
  side("--decoder-quantize", arguments.decoder_quantize, "Another format for the decoder");
  side("--embedding-quantize", arguments.embedding_quantize,
       "Another format for the token embedding, which is the output matrix too");
  command
      .add_option(
          "--quantize-recipe", arguments.recipe,
          "Take the formats from a JSON file, which may name exceptions for single matrices")
      ->type_name("FILE.json")
      ->excludes(quantize)
      ->group(kGroup);
}

std::vector<std::string> part_names() {
  std::vector<std::string> names = {kBundle};
  for (const Part part : all_parts()) names.emplace_back(name_of(part));
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
      ->add_option("--part", arguments->part,
                   fmt::format("What to write: {}. The bundle has every signature; a part alone "
                               "has one, serving_default; all writes them side by side",
                               fmt::join(part_names(), ", ")))
      ->check(CLI::IsMember(part_names()).description(""))
      ->type_name("PART")
      ->capture_default_str();
  command
      ->add_option("--compat", arguments->compat,
                   "The oldest interpreter that must run the file: litert, or 2.14 for TensorFlow "
                   "Lite 2.14, the last tflite-runtime")
      ->check(CLI::IsMember({"litert", "2.14"}).description(""))
      ->type_name("VERSION")
      ->capture_default_str();
  CLI::Option* no_text_strings = command->add_flag(
      "--no-text-strings", arguments->no_text_strings,
      "transcribe gives its text as bytes alone, not as a string tensor too, which LiteRT's "
      "CompiledModel does not know");
  constexpr const char* kPrompt =
      "Prompt inside (of serving_default; transcribe chooses its own at run time)";
  const std::vector<CLI::Option*> prompt_options = {
      command
          ->add_option("--language", arguments->language,
                       "Language of the speech, a code (de) or a name (German); without it the "
                       "model detects it")
          ->type_name("LANG"),
      command->add_option("--task", arguments->task, "transcribe, or translate into English")
          ->check(CLI::IsMember({"transcribe", "translate"}).description(""))
          ->type_name("TASK")
          ->capture_default_str(),
      command->add_flag("--timestamps", arguments->timestamps, "Give timestamps among the tokens"),
      command
          ->add_option("--max-length", arguments->max_length,
                       "Most tokens, those of the prompt included")
          ->type_name("N")
          ->capture_default_str(),
  };
  for (CLI::Option* option : prompt_options) option->group(kPrompt);
  command->add_flag("--no-verify", arguments->no_verify,
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
  command->callback([arguments, prompt_options, no_text_strings] {
    if (no_text_strings->count() > 0 && !arguments->is_bundle()) {
      throw CLI::ValidationError(no_text_strings->get_name(),
                                 "only the bundle has the signature transcribe");
    }
    for (const CLI::Option* option : prompt_options) {
      if (option->count() > 0 && !has_prompt(*arguments)) {
        throw CLI::ValidationError(
            option->get_name(),
            fmt::format("the part {} gives no tokens and has no prompt", arguments->part));
      }
    }
    run_convert(*arguments);
  });
}

}  // namespace whisper_s4y
