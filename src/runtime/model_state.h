// What stands behind a Model.
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "config/model_info.h"
#include "runtime/decoder_weights.h"
#include "runtime/encoder_weights.h"
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

  /// Throws Error when the file is damaged, nothing can be computed with it, or it is not what
  /// `use` needs.
  ModelState(std::shared_ptr<const TfliteFile> file, RuntimeOptions options, Use use);

  [[nodiscard]] static const std::shared_ptr<ModelState>& of(const Model& model) {
    return model.state_;
  }
  [[nodiscard]] static Model model_of(std::shared_ptr<ModelState> state) {
    return Model(std::move(state));
  }

  [[nodiscard]] const std::filesystem::path& path() const { return file_->path(); }
  [[nodiscard]] const ModelFacts& facts() const { return facts_; }
  /// As given, but `threads` is never 0.
  [[nodiscard]] const RuntimeOptions& options() const { return options_; }
  /// The file as LiteRT has it. Made at the first call: where kernels of our own compute all there
  /// is no need of LiteRT. Throws Error when LiteRT cannot read the file.
  [[nodiscard]] const std::shared_ptr<LoadedModel>& loaded() const;
  /// As LoadedModel::release_unused_since().
  void release_unused_since(ProgramPool::Clock::time_point time) const;
  /// These throw Error when the file was not written by whisper-s4y.
  [[nodiscard]] const ModelInfo& info() const;
  [[nodiscard]] const Tokenizer& tokenizer() const;
  /// Throws Error unless the file is a bundle.
  void check_can_transcribe() const;

  /// What kernels of our own read.
  struct KernelWeights {
    std::shared_ptr<const EncoderWeights> encoder;
    std::shared_ptr<const DecoderWeights> decoder;
    bool front_end = false;  // the file's is the one that FeaturePass computes
  };
  /// Found at the first call. Nothing where the options or the file leave it to LiteRT;
  /// RuntimeOptions::on_warning is told of the file.
  [[nodiscard]] const std::optional<KernelWeights>& kernel_weights() const;

  /// What is compiled together with a signature.
  [[nodiscard]] SignatureGroup group_of(std::string_view key) const;

 private:
  void find_facts();

  std::shared_ptr<const TfliteFile> file_;
  std::optional<ModelInfo> info_;  // nothing: a file of others
  RuntimeOptions options_;
  ModelFacts facts_;
  mutable std::mutex loading_;  // guards loaded_
  mutable std::shared_ptr<LoadedModel> loaded_;
  mutable std::once_flag tokenizer_made_;
  mutable std::optional<Tokenizer> tokenizer_;
  mutable std::once_flag weights_found_;
  mutable std::optional<KernelWeights> weights_;
};

}  // namespace whisper_s4y
