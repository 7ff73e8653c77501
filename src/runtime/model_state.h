// What stands behind a Model.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "config/model_info.h"
#include "runtime/decoder_weights.h"
#include "runtime/loaded_model.h"
#include "tflite/reader.h"
#include "tokenizer/tokenizer.h"
#include "whisper_s4y/model.h"

namespace whisper_s4y {

/// Thread-safe.
class ModelState {
 public:
  enum class Use {
    any,            // whatever .tflite file we can run
    transcription,  // a bundle
  };

  /// Throws Error when the file is damaged, LiteRT cannot be given it, or it is not what `use`
  /// needs.
  ModelState(std::shared_ptr<const TfliteFile> file, RuntimeOptions options, Use use);

  [[nodiscard]] static const std::shared_ptr<ModelState>& of(const Model& model) {
    return model.state_;
  }
  [[nodiscard]] static Model model_of(std::shared_ptr<ModelState> state) {
    return Model(std::move(state));
  }

  [[nodiscard]] const ModelFacts& facts() const { return facts_; }
  [[nodiscard]] const std::shared_ptr<LoadedModel>& loaded() const { return loaded_; }
  /// These throw Error when the file was not written by whisper-s4y.
  [[nodiscard]] const ModelInfo& info() const;
  [[nodiscard]] const Tokenizer& tokenizer() const;
  /// Throws Error unless the file is a bundle.
  void check_can_transcribe() const;

  /// For decoding by kernels of our own; found at the first call. Null where the options or the
  /// file leave it to LiteRT; RuntimeOptions::on_warning is told of the file.
  [[nodiscard]] std::shared_ptr<const DecoderWeights> decoder_weights() const;

  /// What is compiled together with a signature.
  [[nodiscard]] SignatureGroup group_of(std::string_view key) const;

 private:
  void find_facts();

  std::shared_ptr<const TfliteFile> file_;
  std::optional<ModelInfo> info_;  // nothing: a file of others
  std::shared_ptr<LoadedModel> loaded_;
  ModelFacts facts_;
  mutable std::once_flag tokenizer_made_;
  mutable std::optional<Tokenizer> tokenizer_;
  mutable std::once_flag decoder_found_;
  mutable std::shared_ptr<const DecoderWeights> decoder_;
};

}  // namespace whisper_s4y
