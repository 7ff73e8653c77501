#include "conversion/convert_options.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "common/ascii.h"
#include "models/weight_recipe.h"
#include "options/option_table.h"
#include "tflite/contract.h"
#include "tokenizer/languages.h"

namespace whisper_s4y {
namespace {

constexpr double kMostPositions = 448;  // of a decoder
constexpr double kMostHypotheses = 64;  // anybody follows
constexpr double kMostOfUnit = 1e9;     // of a size

/// What ConvertOptions::target stands for.
struct Target {
  std::string_view name;
  std::vector<std::string> signatures;  // empty: all
  bool text_strings = false;
};

constexpr std::string_view kTargets[] = {"web", "android", "python"};

Target target_of(const std::optional<std::string>& name) {
  const Target targets[] = {
      {.name = "web", .signatures = {"features", "encode", "cross", "step", "prefill"}},
      {.name = "android",
       .signatures = {"features", "encode", "cross", "step", "prefill", "transcribe"}},
      {.name = "python", .signatures = {}, .text_strings = true},
  };
  for (const Target& target : targets) {
    if (name == target.name) return target;
  }
  return {};  // the rows let no other name through
}

constexpr std::string_view kTasks[] = {"transcribe", "translate"};
constexpr std::string_view kCompats[] = {"litert", kTflite214};
constexpr std::string_view kCacheUpdates[] = {"slice", kBlend};
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
    option<&C::target_size>(
        "target_size",
        "Choose the formats of all matrices so that the bundle is no larger than this, 40MB say, "
        "and its answers stay as near to float32's as that allows",
        {.group = kFormats, .metavar = "SIZE"}),

    option<&C::part>("part",
                     "What to write: bundle, or a part alone, which has one signature, "
                     "serving_default",
                     {.choices = kConvertParts, .metavar = "PART", .has_flag = false}),
    option<&C::target>(
        "target",
        "What the bundle holds for a host (docs/models.md): web, android or python; the options "
        "for single things go before",
        {.choices = kTargets, .metavar = "HOST", .flag = "--for"}),
    option<&C::signatures>(
        "signatures",
        "Signatures of the bundle; without it all. Transcription needs features, encode, cross, "
        "step and prefill, beams step_beam, and the times of words align",
        {.choices = kSignatureKeys, .metavar = "NAME,..."}),
    option<&C::compat>(
        "compat",
        "The oldest interpreter that must run the file: litert, or 2.14 for TensorFlow Lite 2.14, "
        "the last tflite-runtime",
        {.choices = kCompats, .metavar = "VERSION"}),
    option<&C::cache_update>(
        "cache_update",
        "How step and its like write to their caches: slice, in place where the caller binds one "
        "buffer to input and output; or blend, with ops that TensorFlow Lite's GPU delegate knows, "
        "slower on processors",
        {.choices = kCacheUpdates, .metavar = "HOW"}),
    option<&C::text_strings>(
        "text_strings",
        "transcribe gives its text as a string tensor too, not as bytes alone: for interpreters "
        "that know strings, which LiteRT's CompiledModel and LiteRT.js do not"),
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

bool has_signature(const C& options, std::string_view key) {
  if (options.part != kBundlePart) return false;
  const std::vector<std::string> keys = bundle_content(options).signatures;
  return keys.empty() || std::ranges::find(keys, key) != keys.end();
}

/// Options that say something of a signature which the file will not have.
void check_signatures(const C& options) {
  const C defaults;
  if (options.part != kBundlePart) {
    const std::pair<OptionName, bool> given[] = {
        {kName<&C::target>, options.target.has_value()},
        {kName<&C::signatures>, !options.signatures.empty()}};
    for (const auto& [name, is_given] : given) {
      if (is_given) fail_option("{}: the part {} has one signature.", name, options.part);
    }
  }
  for (auto key = options.signatures.begin(); key != options.signatures.end(); ++key) {
    if (std::find(options.signatures.begin(), key, *key) != key) {
      fail_option("{}: {} is there twice.", kName<&C::signatures>, *key);
    }
  }
  if (options.text_strings == true && !has_signature(options, "transcribe")) {
    fail_option("{}: there will be no signature transcribe.", kName<&C::text_strings>);
  }
  if (options.beams != defaults.beams && !has_signature(options, "step_beam")) {
    fail_option("{}: there will be no signature step_beam.", kName<&C::beams>);
  }
  const std::string_view cached[] = {"step", "prefill", "step_beam", "align"};
  if (options.cache_update != defaults.cache_update &&
      std::ranges::none_of(cached, [&](auto key) { return has_signature(options, key); })) {
    fail_option("{}: there will be no signature step.", kName<&C::cache_update>);
  }
  if (options.prefill_tokens != defaults.prefill_tokens && !has_signature(options, "prefill") &&
      !has_signature(options, "align")) {
    fail_option("{}: there will be no signature prefill.", kName<&C::prefill_tokens>);
  }
}

void check_target_size(const C& options) {
  if (options.target_size.empty()) return;
  (void)target_bytes(options);
  const std::pair<OptionName, bool> given[] = {
      {kName<&C::quantize>, options.quantize != C().quantize},
      {kName<&C::quantize_recipe>, !options.quantize_recipe.empty()},
      {kName<&C::encoder_quantize>, options.encoder_quantize.has_value()},
      {kName<&C::decoder_quantize>, options.decoder_quantize.has_value()},
      {kName<&C::embedding_quantize>, options.embedding_quantize.has_value()}};
  for (const auto& [name, is_given] : given) {
    if (is_given) {
      fail_option("{} and {} cannot be given together.", name, kName<&C::target_size>);
    }
  }
  if (options.part != kBundlePart) {
    fail_option("{}: only a bundle is made to fit, not the part {}.", kName<&C::target_size>,
                options.part);
  }
}

void check_prompt(const C& options) {
  const bool is_bundle = options.part == kBundlePart;
  if (is_bundle ? has_signature(options, "serving_default") : has_prompt(options.part)) return;
  const C defaults;
  const std::pair<OptionName, bool> given[] = {
      {kName<&C::language>, options.language.has_value()},
      {kName<&C::task>, options.task != defaults.task},
      {kName<&C::timestamps>, options.timestamps},
      {kName<&C::max_length>, options.max_length != defaults.max_length}};
  for (const auto& [name, is_given] : given) {
    if (is_given) {
      if (is_bundle) fail_option("{}: there will be no signature serving_default.", name);
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

BundleContent bundle_content(const ConvertOptions& options) {
  if (options.part != kBundlePart) return {};
  const Target target = target_of(options.target);
  return {.signatures = options.signatures.empty() ? target.signatures : options.signatures,
          .text_strings = options.text_strings.value_or(target.text_strings)};
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

uint64_t target_bytes(const ConvertOptions& options) {
  static constexpr std::pair<std::string_view, double> kUnits[] = {
      // in small letters
      {"kb", 1e3}, {"mb", 1e6}, {"gb", 1e9}, {"kib", 1 << 10}, {"mib", 1 << 20}, {"gib", 1 << 30}};
  const std::string& text = options.target_size;
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  std::string_view rest(end, text.data() + text.size());
  if (rest.starts_with(' ')) rest.remove_prefix(1);
  const std::string unit = lower_case(rest);
  for (const auto& [name, bytes] : kUnits) {
    if (error == std::errc() && unit == name && number > 0 && number < kMostOfUnit) {
      return static_cast<uint64_t>(number * bytes);
    }
  }
  fail_option("{}: \"{}\" is no size: expected a number and kB, MB, GB, KiB, MiB or GiB, as 40MB.",
              kName<&C::target_size>, text);
}

void ConvertOptions::validate() const {
  check_rows(*this);
  if (!quantize_recipe.empty() && quantize != ConvertOptions().quantize) {
    fail_option("{} and {} cannot be given together.", kName<&C::quantize>,
                kName<&C::quantize_recipe>);
  }
  check_target_size(*this);
  if (language) {
    try {
      (void)language_code(*language);
    } catch (const Error& error) {
      fail_option("{}: {}", kName<&C::language>, error.what());
    }
  }
  check_signatures(*this);
  check_prompt(*this);
}

std::vector<std::string> part_names() { return {kConvertParts.begin(), kConvertParts.end()}; }

std::vector<std::string> quantization_names() {
  return {std::begin(kRecipeNames), std::end(kRecipeNames)};
}

}  // namespace whisper_s4y
