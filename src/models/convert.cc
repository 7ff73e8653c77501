#include "models/convert.h"

#include <nlohmann/json.hpp>

#include "checkpoint/source_files.h"
#include "common/fail.h"
#include "common/front_end.h"
#include "common/options.h"
#include "models/bundle.h"
#include "tflite/writer.h"
#include "whisper_s4y/version.h"

namespace whisper_s4y {
namespace {

constexpr int kFormatVersion = 1;

// As many as a decoder has positions, and as many hypotheses as anybody follows.
constexpr NumberOption<ConvertOptions> kConvertNumbers[] = {
    number_option<&ConvertOptions::prefill_tokens>({"prefill_tokens"}, 1, 448),
    number_option<&ConvertOptions::beams>({"beams"}, 1, 64),
};
constexpr NumberOption<PromptDefaults> kPromptNumbers[] = {
    number_option<&PromptDefaults::max_length>({"max_length"}, 1, 448),
};

/// What a user of the file may want to know of it; see docs/models.md.
std::string model_metadata(const Checkpoint& checkpoint, const WeightRecipe& recipe) {
  using Json = nlohmann::ordered_json;
  const ModelInfo& info = checkpoint.info;
  const Json facts = Json::parse(to_json(info.config, info.generation));
  Json json;
  json["format_version"] = kFormatVersion;
  json["name"] = info.name;
  json["converter_version"] = kVersion;
  json["model_hash"] = kModelHashPlaceholder;
  json["quantization"] = Json::parse(to_json(recipe));
  json["mel"] = {{"sampling_rate", kSampleRate}, {"n_fft", kFftSize},
                 {"hop_length", kHopLength},     {"num_mel_bins", info.config.num_mel_bins},
                 {"window", "periodic hann"},    {"padding", "reflect"},
                 {"filters", "slaney"}};
  json.update(facts);
  return json.dump();
}

// The weights are read while the output is written, and all of it would be gone afterwards.
void check_output(const Checkpoint& checkpoint, const std::filesystem::path& output) {
  const auto source = SourceFiles(checkpoint).find(output);
  if (!source) return;
  fail(ErrorCode::invalid_argument, "{} is {}the checkpoint itself; write to another file.",
       output.string(), *source == checkpoint.path ? "" : "a file of ");
}

ConvertResult write(Module& module, const Checkpoint& checkpoint, const ConvertOptions& options,
                    const std::filesystem::path& output) {
  module.set_description("whisper-s4y: OpenAI Whisper " + checkpoint.info.name);
  module.add_metadata(std::string(kModelMetadata), model_metadata(checkpoint, options.recipe));
  module.add_metadata(std::string(kVocabularyMetadata), to_text(checkpoint.info.vocabulary));
  module.drop_dead_code();
  WriteOptions write_options{.progress = options.progress, .check = {}};
  if (options.check) {
    write_options.check = [&](int descriptor) {
      options.check(std::make_shared<TfliteFile>(descriptor, output));
    };
  }
  const WriteResult written = write_tflite(module, output, write_options);
  return {.file_size = written.file_size, .model_hash = written.model_hash};
}

}  // namespace

void ConvertOptions::validate() const {
  check_numbers(*this, kConvertNumbers);
  check_numbers(defaults, kPromptNumbers);
}

ConvertResult convert(const Checkpoint& checkpoint, const std::filesystem::path& output,
                      const ConvertOptions& options) {
  options.validate();
  check_output(checkpoint, output);
  Module module;
  Weights weights(checkpoint, options.recipe, options.compatibility);
  GreedyLoop loop(weights);
  // First, so that it is what an interpreter without signatures runs.
  add_part(module, weights, loop, Part::encoder_decoder, options.defaults, "serving_default");
  add_features(module, checkpoint.info.config);
  add_encode(module, weights);
  add_pcm_encode(module, weights);
  add_cross(module, weights);
  add_step(module, weights);
  add_prefill(module, weights, options.prefill_tokens);
  add_step_beam(module, weights, options.beams);
  // Without alignment heads there is nothing to align by.
  if (!checkpoint.info.generation.alignment_heads.empty()) {
    add_align(module, weights, options.prefill_tokens);
  }
  add_decode(module, weights, loop);
  add_transcribe(module, weights, loop, options.text_strings);
  return write(module, checkpoint, options, output);
}

ConvertResult convert_part(const Checkpoint& checkpoint, Part part,
                           const std::filesystem::path& output, const ConvertOptions& options) {
  options.validate();
  check_output(checkpoint, output);
  Module module;
  Weights weights(checkpoint, options.recipe, options.compatibility);
  GreedyLoop loop(weights);
  add_part(module, weights, loop, part, options.defaults, "serving_default");
  return write(module, checkpoint, options, output);
}

}  // namespace whisper_s4y
