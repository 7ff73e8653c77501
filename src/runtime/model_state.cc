#include "runtime/model_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/fail.h"
#include "models/features_of_file.h"
#include "runtime/runtime_options.h"
#include "tflite/check_runnable.h"
#include "tflite/contract.h"
#include "tflite/model_metadata.h"

namespace whisper_s4y {
namespace {

// Sorted, as SignatureGroup has them. They run one after the other over the same memory.
const std::vector<std::string> kEncoder = {"cross", "encode", "features"};
const std::vector<std::string> kDecoder = {"prefill", "step"};
// Later ones with the decoder's weights.
const std::vector<std::string> kDecoderExtras = {"align", "step_beam"};

bool contains(const std::vector<std::string>& keys, std::string_view key) {
  return std::ranges::find(keys, key) != keys.end();
}

const SignatureInfo* find_signature(const ModelFacts& facts, std::string_view key) {
  const auto found = std::ranges::find(facts.signatures, key, &SignatureInfo::key);
  return found == facts.signatures.end() ? nullptr : &*found;
}

}  // namespace

ModelState::ModelState(std::shared_ptr<const TfliteFile> file, RuntimeOptions options, Use use)
    : file_(std::move(file)), options_(completed(std::move(options))) {
  if (has_model_metadata(*file_)) {
    info_ = read_model_info(*file_);
    if (use == Use::transcription) {
      check_bundle(*file_, *info_);
    } else {
      check_contract(*file_, *info_);
    }
  } else if (use == Use::transcription) {
    (void)info();  // throws
  }
  if (info_ && options_.own_kernels) {
    check_runnable(*file_);
  } else {
    (void)loaded();
  }
  find_facts();
}

const std::shared_ptr<LoadedModel>& ModelState::loaded() const {
  const std::lock_guard lock(loading_);
  if (!loaded_) loaded_ = std::make_shared<LoadedModel>(file_, options_);
  return loaded_;
}

void ModelState::release_unused_since(ProgramPool::Clock::time_point time) const {
  const std::lock_guard lock(loading_);
  if (loaded_) loaded_->release_unused_since(time);
}

void ModelState::find_facts() {
  facts_.name = file_->path().stem().string();
  facts_.hash = model_hash(*file_);
  facts_.file_size = file_->size();
  facts_.signatures = signatures_of(*file_);
  if (!info_) return;
  facts_.name = info_->name;
  facts_.is_whisper = true;
  facts_.config = info_->config;
  facts_.generation = info_->generation;
  facts_.is_multilingual = info_->generation.is_multilingual;
  for (const auto& [code, token] : info_->generation.lang_to_id) facts_.languages.push_back(code);
  if (!facts_.is_multilingual) facts_.languages = {"en"};
  facts_.can_transcribe =
      std::ranges::all_of(bundle_contract(), [&](const SignatureContract& contract) {
        return !contract.needed || find_signature(facts_, contract.key) != nullptr;
      });
  if (!facts_.can_transcribe) return;
  facts_.can_align = find_signature(facts_, "align") != nullptr;
  if (const SignatureInfo* beams = find_signature(facts_, "step_beam")) {
    const auto tokens = std::ranges::find(beams->inputs, "tokens", &TensorInfo::name);
    facts_.max_beams = tokens->shape.at(0);
  }
}

const ModelInfo& ModelState::info() const {
  if (info_) return *info_;
  fail(ErrorCode::unsupported,
       "{} has no vocabulary and no configuration of a Whisper model: it is a front end alone, or "
       "was not written by whisper-s4y. Convert a checkpoint with `whisper-s4y convert`.",
       file_->path().string());
}

const Tokenizer& ModelState::tokenizer() const {
  std::call_once(tokenizer_made_,
                 [&] { tokenizer_.emplace(info().vocabulary, info().generation); });
  return *tokenizer_;
}

const std::optional<ModelState::KernelWeights>& ModelState::kernel_weights() const {
  std::call_once(weights_found_, [&] {
    if (!options_.own_kernels) return;
    try {
      const ModelConfig& config = info().config;
      const WeightReader reader(file_, config);
      weights_ = {.encoder = encoder_weights(reader, config),
                  .decoder = decoder_weights(reader, config),
                  .front_end = computes_log_mel(*file_, "features", config.num_mel_bins)};
    } catch (const Error& error) {
      if (options_.on_warning) {
        options_.on_warning(
            fmt::format("LiteRT computes everything, more slowly: {}", error.what()));
      }
    }
  });
  return weights_;
}

void ModelState::check_can_transcribe() const { check_bundle(*file_, info()); }

SignatureGroup ModelState::group_of(std::string_view key) const {
  if (facts_.can_transcribe) {
    if (contains(kEncoder, key)) return {kEncoder, kEncoder};
    if (contains(kDecoder, key)) return {kDecoder, kDecoder};
    if (contains(kDecoderExtras, key)) return {{std::string(key)}, kDecoder};
  }
  return {{std::string(key)}, {std::string(key)}};
}

}  // namespace whisper_s4y
