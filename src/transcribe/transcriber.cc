#include "whisper_s4y/transcriber.h"

#include <algorithm>
#include <utility>

#include "decoding/window_decoder.h"
#include "runtime/whisper_model.h"
#include "tokenizer/tokenizer.h"
#include "transcribe/log_mel.h"
#include "transcribe/long_form.h"

namespace whisper_s4y {

Transcriber::Transcriber(const std::filesystem::path& model)
    : owned_(std::make_unique<WhisperModel>(model)),
      model_(owned_.get()),
      tokenizer_(
          std::make_unique<Tokenizer>(model_->info().vocabulary, model_->info().generation)) {}

Transcriber::Transcriber(DecoderModel& model)
    : model_(&model),
      tokenizer_(std::make_unique<Tokenizer>(model.info().vocabulary, model.info().generation)) {}

Transcriber::~Transcriber() = default;
Transcriber::Transcriber(Transcriber&&) noexcept = default;
Transcriber& Transcriber::operator=(Transcriber&&) noexcept = default;

Transcript Transcriber::transcribe(std::span<const float> audio, const TranscribeOptions& options,
                                   const TranscribeCallbacks& callbacks) {
  return LongForm(*model_, *tokenizer_, audio, options, callbacks).run();
}

std::vector<std::pair<std::string, float>> Transcriber::detect_language(
    std::span<const float> audio) {
  const LogMel log_mel(*model_, audio.first(std::min<size_t>(audio.size(), kWindowSamples)));
  std::vector<float> window(static_cast<size_t>(model_->info().config.num_mel_bins) *
                            kWindowFrames);
  log_mel.window(0, window);
  model_->encode(window);
  LanguageProbs probs = whisper_s4y::detect_language(*model_);
  std::stable_sort(probs.begin(), probs.end(),
                   [](const auto& left, const auto& right) { return left.second > right.second; });
  return probs;
}

}  // namespace whisper_s4y
