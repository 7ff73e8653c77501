#include "whisper_s4y/convert.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "checkpoint/checkpoint.h"
#include "common/mapped_file.h"
#include "common/output_file.h"
#include "conversion/callbacks.h"
#include "conversion/convert_options.h"
#include "formats/open_checkpoint.h"
#include "models/recipe_search.h"
#include "models/write_bundle.h"
#include "tokenizer/languages.h"
#include "verify/check_signatures.h"

namespace whisper_s4y {
namespace {

PromptDefaults prompt_of(const ConvertOptions& options, const ModelInfo& info) {
  PromptDefaults prompt{.language_token = -1,
                        .translate = options.task == "translate",
                        .timestamps = options.timestamps,
                        .max_length = options.max_length};
  const GenerationConfig& generation = info.generation;
  if (!generation.is_multilingual && prompt.translate) {
    fail(ErrorCode::unsupported, "{} knows English only and cannot translate.", info.name);
  }
  if (!options.language) return prompt;
  const std::string_view code = language_code(*options.language);
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

WeightRecipe recipe_of(const ConvertOptions& options, const Checkpoint& checkpoint) {
  WeightRecipe recipe = options.quantize_recipe.empty()
                            ? recipe_of_name(options.quantize, checkpoint)
                            : read_recipe(options.quantize_recipe);
  if (options.encoder_quantize) recipe.set_encoder(weight_format(*options.encoder_quantize));
  if (options.decoder_quantize) recipe.set_decoder(weight_format(*options.decoder_quantize));
  if (options.embedding_quantize) recipe.set_embedding(weight_format(*options.embedding_quantize));
  if (options.compat == kTflite214) recipe.replace_int4();
  return recipe;
}

BundleOptions bundle_options(const ConvertOptions& options, const Checkpoint& checkpoint,
                             const std::function<void(uint64_t, uint64_t)>& on_progress) {
  BundleContent content = bundle_content(options);
  BundleOptions result{
      .recipe = recipe_of(options, checkpoint),
      .prefill_tokens = options.prefill_tokens,
      .beams = options.beams,
      .compatibility =
          options.compat == kTflite214 ? Compatibility::tflite_2_14 : Compatibility::litert,
      .cache_update = options.cache_update == kBlend ? CacheUpdate::blend : CacheUpdate::slice,
      .signatures = std::move(content.signatures),
      .text_strings = content.text_strings,
      .defaults = prompt_of(options, checkpoint.info)};
  if (options.part != kBundlePart) result.part = part_of_name(options.part);
  if (options.verify) result.check = check_quickly;
  result.progress = [&](uint64_t done, uint64_t total) {
    stop_point();
    if (on_progress && total > 0) on_progress(done, total);
  };
  return result;
}

/// Writes the model of a checkpoint as `write(checkpoint, options)` does.
template <typename Write>
ConvertResult convert_with(const std::string& name_or_path, const ConvertOptions& options,
                           const ConvertCallbacks& callbacks, Write write) {
  options.validate();  // before anything is downloaded or read
  const PullCallbacks pulling{.on_progress = callbacks.on_download,
                              .on_notice = callbacks.on_notice,
                              .cancelled = callbacks.cancelled};
  const auto path = resolve_checkpoint(name_or_path, hub_options({}, pulling));
  return stoppable(callbacks.cancelled, "The conversion", [&] {
    stop_point();
    const std::unique_ptr<Checkpoint> checkpoint = open_checkpoint(path);
    tell_warnings(*checkpoint, callbacks.on_warning);
    const auto on_progress = guarded(callbacks.on_progress);
    BundleOptions bundle = bundle_options(options, *checkpoint, on_progress);
    if (!options.target_size.empty()) {
      bundle.recipe = recipe_for_size(*checkpoint, target_bytes(options), bundle.compatibility,
                                      [&](const WeightRecipe& recipe) {
                                        bundle.recipe = recipe;
                                        return bundle_size(*checkpoint, bundle);
                                      });
    }
    const WriteResult written = write(*checkpoint, bundle);
    return ConvertResult{.name = checkpoint->info.name,
                         .checkpoint_format = checkpoint->format,
                         .encoder = std::string(name_of(bundle.recipe.encoder)),
                         .decoder = std::string(name_of(bundle.recipe.decoder)),
                         .embedding = std::string(name_of(bundle.recipe.embedding)),
                         .has_exceptions = !bundle.recipe.exceptions.empty(),
                         .model_hash = written.model_hash,
                         .file_size = written.file_size};
  });
}

/// Memory that can be written as a file, and what was written.
class MemoryFile {
 public:
  MemoryFile() : descriptor_(::memfd_create("whisper-s4y", MFD_CLOEXEC)) {
    if (descriptor_ < 0) {
      fail(ErrorCode::out_of_memory, "There is no memory to write to: {}.", std::strerror(errno));
    }
  }
  ~MemoryFile() { ::close(descriptor_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  [[nodiscard]] int descriptor() const { return descriptor_; }

  [[nodiscard]] std::vector<std::byte> content() const {
    const MappedFile written(descriptor_, "the converted model");
    const auto bytes = written.bytes();
    return {bytes.begin(), bytes.end()};
  }

 private:
  int descriptor_;
};

}  // namespace

ConvertResult convert(const std::string& checkpoint, const std::filesystem::path& output,
                      const ConvertOptions& options, const ConvertCallbacks& callbacks) {
  return with_errors([&] {
    OutputFile::refuse_folder(output);
    return convert_with(checkpoint, options, callbacks,
                        [&](const Checkpoint& opened, const BundleOptions& bundle) {
                          return write_bundle(opened, output, bundle);
                        });
  });
}

std::vector<std::byte> convert_to_memory(const std::string& checkpoint,
                                         const ConvertOptions& options,
                                         const ConvertCallbacks& callbacks) {
  return with_errors([&] {
    const MemoryFile memory;
    convert_with(checkpoint, options, callbacks,
                 [&](const Checkpoint& opened, const BundleOptions& bundle) {
                   const std::filesystem::path name = opened.info.name + ".tflite";
                   OutputFile file(memory.descriptor(), name);
                   return write_bundle(opened, file, name, bundle);
                 });
    return memory.content();
  });
}

std::vector<std::byte> make_front_end(int num_mel_bins, const std::string& signature) {
  return with_errors([&] {
    if (num_mel_bins != 80 && num_mel_bins != 128) {
      fail(ErrorCode::invalid_argument, "num_mel_bins is 80 or 128, not {}.", num_mel_bins);
    }
    ModelConfig config;
    config.num_mel_bins = num_mel_bins;
    Module module;
    add_features(module, config, signature);
    const MemoryFile memory;
    OutputFile file(memory.descriptor(), "the front end");
    write_tflite(module, file);
    return memory.content();
  });
}

}  // namespace whisper_s4y
