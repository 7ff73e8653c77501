// A converted Whisper model, run by LiteRT.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "decoding/decoder_model.h"
#include "whisper_s4y/model.h"

namespace whisper_s4y {

class ModelState;

/// The bundle that `whisper-s4y convert` writes, through its signatures features, encode, cross,
/// step, prefill, step_beam and align (docs/models.md). The last two are loaded when first used.
/// Not thread-safe: one thread at a time.
class WhisperModel : public DecoderModel {
 public:
  /// Throws Error when the file is unreadable, damaged, no bundle, of another format version, or
  /// not what LiteRT can run.
  explicit WhisperModel(const std::filesystem::path& path, RuntimeOptions options = {});
  /// Shares an opened model. `threads`: 0 as the model's options have it. Throws Error when it is
  /// no bundle.
  explicit WhisperModel(std::shared_ptr<ModelState> model, int threads = 0);
  ~WhisperModel() override;

  [[nodiscard]] const ModelInfo& info() const override;
  [[nodiscard]] const std::shared_ptr<ModelState>& state() const;
  void set_cancellation(Cancellation* cancellation) override;
  void features(std::span<const float> normalized_audio, std::span<float> logmel) override;
  void encode(std::span<const float> input_features) override;
  /// With kernels of our own.
  [[nodiscard]] bool can_sample() const override;
  void encode_sampled(std::span<const float> input_features,
                      const WindowPositions& positions) override;
  /// What the last encode() gave, [max_source_positions, d_model], or encode_sampled() for its
  /// positions; valid until the next one.
  [[nodiscard]] std::span<const float> last_hidden_state() const;
  std::span<const float> decode(std::span<const int> tokens, int position) override;
  [[nodiscard]] int max_beams() const override;
  void start_beams(int position) override;
  std::span<const float> decode_beams(std::span<const int> tokens, std::span<const int> parents,
                                      int position) override;
  [[nodiscard]] std::unique_ptr<DecoderModel> another(int share) const override;
  [[nodiscard]] bool can_align() const override;
  AlignmentScores align(std::span<const int> tokens) override;

  /// Times per op since the last call; empty without RuntimeOptions::profile.
  [[nodiscard]] std::string profile_summary();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace whisper_s4y
