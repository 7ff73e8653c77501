#include "models/write_bundle.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "checkpoint/source_files.h"
#include "common/fail.h"
#include "config/front_end.h"
#include "models/bundle.h"
#include "tflite/metadata_names.h"
#include "tflite/stored_weights.h"
#include "tflite/writer.h"
#include "whisper_s4y/version.h"

namespace whisper_s4y {
namespace {

constexpr int kFormatVersion = 1;

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

/// Adds the signatures one after the other; tells options.progress before each, which may throw.
class Builder {
 public:
  Builder(const Checkpoint& checkpoint, const BundleOptions& options)
      : options_(options),
        weights_(checkpoint, options.recipe, options.compatibility),
        loop_(weights_) {}

  /// Everything that the file will have.
  const Module& build() {
    const Checkpoint& checkpoint = weights_.checkpoint();
    if (options_.part) {
      add_whole_part(*options_.part);
    } else {
      add_whole_bundle(checkpoint.info);
    }
    module_.set_description("whisper-s4y: OpenAI Whisper " + checkpoint.info.name);
    module_.add_metadata(std::string(kModelMetadata), model_metadata(checkpoint, options_.recipe));
    module_.add_metadata(std::string(kVocabularyMetadata), to_text(checkpoint.info.vocabulary));
    module_.add_metadata(std::string(kWeightsMetadata), to_json(weights_.stored()));
    module_.drop_dead_code();
    return module_;
  }

 private:
  void add_whole_part(Part part) {
    add([&] { add_part(module_, weights_, loop_, part, options_.defaults, "serving_default"); });
  }

  void add_whole_bundle(const ModelInfo& info) {
    // First, so that it is what an interpreter without signatures runs.
    if (has("serving_default")) add_whole_part(Part::encoder_decoder);
    if (has("features")) add([&] { add_features(module_, info.config); });
    if (has("encode")) add([&] { add_encode(module_, weights_); });
    if (has("pcm_encode")) add([&] { add_pcm_encode(module_, weights_); });
    if (has("cross")) add([&] { add_cross(module_, weights_); });
    if (has("step")) add([&] { add_step(module_, weights_, options_.cache_update); });
    if (has("prefill"))
      add([&] { add_prefill(module_, weights_, options_.prefill_tokens, options_.cache_update); });
    if (has("step_beam"))
      add([&] { add_step_beam(module_, weights_, options_.beams, options_.cache_update); });
    if (can_align(info))
      add([&] { add_align(module_, weights_, options_.prefill_tokens, options_.cache_update); });
    if (has("decode")) add([&] { add_decode(module_, weights_, loop_); });
    if (has("transcribe")) {
      add([&] { add_transcribe(module_, weights_, loop_, options_.text_strings); });
    }
  }

  [[nodiscard]] bool has(std::string_view key) const {
    const std::vector<std::string>& keys = options_.signatures;
    return keys.empty() || std::ranges::find(keys, key) != keys.end();
  }

  /// Without alignment heads there is nothing to align by.
  [[nodiscard]] bool can_align(const ModelInfo& info) const {
    const bool has_heads = !info.generation.alignment_heads.empty();
    if (!has_heads && !options_.signatures.empty() && has("align")) {
      fail(ErrorCode::unsupported,
           "{} says nothing of its alignment heads: there can be no signature align.", info.name);
    }
    return has_heads && has("align");
  }

  template <typename Add>
  void add(Add signature) {
    if (options_.progress) options_.progress(0, 0);
    signature();
  }

  const BundleOptions& options_;
  Module module_;
  Weights weights_;
  GreedyLoop loop_;
};

}  // namespace

WriteResult write_bundle(const Checkpoint& checkpoint, OutputFile& file,
                         const std::filesystem::path& name, const BundleOptions& options) {
  Builder builder(checkpoint, options);
  const Module& module = builder.build();
  WriteOptions write_options{.progress = options.progress, .check = {}};
  if (options.check) {
    write_options.check = [&](int descriptor) {
      options.check(std::make_shared<TfliteFile>(descriptor, name));
    };
  }
  return write_tflite(module, file, write_options);
}

WriteResult write_bundle(const Checkpoint& checkpoint, const std::filesystem::path& output,
                         const BundleOptions& options) {
  check_output(checkpoint, output);
  OutputFile file(output);
  return write_bundle(checkpoint, file, output, options);
}

uint64_t bundle_size(const Checkpoint& checkpoint, const BundleOptions& options) {
  Builder builder(checkpoint, options);
  return size_as_tflite(builder.build());
}

WriteResult write_part(const Checkpoint& checkpoint, Part part, const std::filesystem::path& output,
                       BundleOptions options) {
  options.part = part;
  return write_bundle(checkpoint, output, options);
}

}  // namespace whisper_s4y
