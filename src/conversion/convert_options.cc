#include "conversion/convert_options.h"

#include <utility>

#include "models/weight_recipe.h"
#include "options/option_table.h"
#include "tokenizer/languages.h"

namespace whisper_s4y {
namespace {

constexpr double kMostPositions = 448;  // of a decoder
constexpr double kMostHypotheses = 64;  // anybody follows

constexpr std::string_view kTasks[] = {"transcribe", "translate"};
constexpr std::string_view kCompats[] = {"litert", kTflite214};
constexpr std::string_view kFormats = "Number format of the weights (docs/quantization.md)";
constexpr std::string_view kPrompt =
    "Prompt inside (of serving_default; transcribe chooses its own at run time)";

constexpr OptionDetails side() {
  return {.choices = kWeightFormatNames, .group = kFormats, .metavar = "FORMAT"};
}

using C = ConvertOptions;
constexpr Option kRows[] = {
    option<&C::quantize>(
        "quantize",
        "none keeps float32; fp16 halves the file; int8 quarters it, decodes faster and is as "
        "good; mixed and int4 are smaller still, with more errors",
        {.choices = kRecipeNames, .group = kFormats, .metavar = "FORMAT"}),
    option<&C::encoder_quantize>("encoder_quantize", "Another format for the encoder", side()),
    option<&C::decoder_quantize>("decoder_quantize", "Another format for the decoder", side()),
    option<&C::embedding_quantize>(
        "embedding_quantize",
        "Another format for the token embedding, which is the output matrix too", side()),
    option<&C::quantize_recipe>(
        "quantize_recipe",
        "Take the formats from a JSON file, which may name exceptions for single matrices",
        {.group = kFormats, .metavar = "FILE.json"}),

    option<&C::part>("part",
                     "What to write: bundle, or a part alone, which has one signature, "
                     "serving_default",
                     {.choices = kConvertParts, .metavar = "PART", .has_flag = false}),
    option<&C::compat>(
        "compat",
        "The oldest interpreter that must run the file: litert, or 2.14 for TensorFlow Lite 2.14, "
        "the last tflite-runtime",
        {.choices = kCompats, .metavar = "VERSION"}),
    option<&C::text_strings>(
        "text_strings", "transcribe gives its text as a string tensor too",
        {.flag = "--no-text-strings",
         .flag_help = "transcribe gives its text as bytes alone, not as a string tensor too, which "
                      "LiteRT's CompiledModel does not know"}),
    option<&C::prefill_tokens>("prefill_tokens", "Tokens that one call of prefill takes",
                               {.bounds = {1, kMostPositions}}),
    option<&C::beams>("beams", "Hypotheses that one call of step_beam advances",
                      {.bounds = {1, kMostHypotheses}}),

    option<&C::language>("language",
                         "Language of the speech, a code (de) or a name (German); without it the "
                         "model detects it",
                         {.group = kPrompt, .metavar = "LANG"}),
    option<&C::task>("task", "transcribe, or translate into English",
                     {.choices = kTasks, .group = kPrompt, .metavar = "TASK"}),
    option<&C::timestamps>("timestamps", "Give timestamps among the tokens", {.group = kPrompt}),
    option<&C::max_length>("max_length", "Most tokens, those of the prompt included",
                           {.bounds = {1, kMostPositions}, .group = kPrompt}),
    option<&C::verify>(
        "verify", "Run what runs in no time before the file gets its name",
        {.flag = "--no-verify",
         .flag_help = "Do not try the file: without this what runs in no time is run, and a file "
                      "that fails is not kept: what was there before stays"}),
};
static_assert(describes<C>(kRows));

template <auto kField>
constexpr OptionName kName = name_of<kField>(kRows);

void check_prompt(const C& options) {
  if (has_prompt(options.part)) return;
  const C defaults;
  const std::pair<OptionName, bool> given[] = {
      {kName<&C::language>, options.language.has_value()},
      {kName<&C::task>, options.task != defaults.task},
      {kName<&C::timestamps>, options.timestamps},
      {kName<&C::max_length>, options.max_length != defaults.max_length}};
  for (const auto& [name, is_given] : given) {
    if (is_given) {
      fail_option("{}: the part {} gives no tokens and has no prompt.", name, options.part);
    }
  }
}

}  // namespace

template <>
const OptionTable& option_table<ConvertOptions>() {
  static const OptionTable table = table_of<ConvertOptions>(kRows);
  return table;
}

bool has_prompt(std::string_view part) {
  if (part == kBundlePart) return true;
  switch (part_of_name(part)) {
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

void ConvertOptions::validate() const {
  check_rows(*this);
  if (!quantize_recipe.empty() && quantize != ConvertOptions().quantize) {
    fail_option("{} and {} cannot be given together.", kName<&C::quantize>,
                kName<&C::quantize_recipe>);
  }
  if (language) {
    try {
      (void)language_code(*language);
    } catch (const Error& error) {
      fail_option("{}: {}", kName<&C::language>, error.what());
    }
  }
  if (!text_strings && part != kBundlePart) {
    fail_option("{}: only the bundle has the signature transcribe.", kName<&C::text_strings>);
  }
  check_prompt(*this);
}

std::vector<std::string> part_names() { return {kConvertParts.begin(), kConvertParts.end()}; }

std::vector<std::string> quantization_names() {
  return {std::begin(kRecipeNames), std::end(kRecipeNames)};
}

}  // namespace whisper_s4y
