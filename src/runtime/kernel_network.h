// A model computed by kernels of our own, which read the weights where the file has them.
#pragma once

#include "kernels/task_team.h"
#include "runtime/encoder_pass.h"
#include "runtime/feature_pass.h"
#include "runtime/kernel_token_decoder.h"
#include "runtime/network.h"

namespace whisper_s4y {

/// The team outlives it.
class KernelFrontEnd : public FrontEnd {
 public:
  KernelFrontEnd(int num_mel_bins, TaskTeam& team) : pass_(num_mel_bins, team) {}

  void run(std::span<const float> normalized_audio, std::span<float> logmel,
           Cancellation* cancellation) override {
    pass_.run(normalized_audio, logmel, cancellation);
  }

 private:
  FeaturePass pass_;
};

/// The state and the team outlive it.
class KernelNetwork : public Network {
 public:
  KernelNetwork(const ModelState& state, const ModelState::KernelWeights& weights, TaskTeam& team)
      : encoder_(weights.encoder, team), decoder_(state, weights.decoder, team) {}

  [[nodiscard]] bool can_sample() const override { return true; }
  void encode(std::span<const float> input_features, const WindowPositions* positions,
              Cancellation* cancellation) override {
    encoder_.encode(input_features, positions, cancellation);
    decoder_.use(positions);
    encoder_.set_windows(decoder_.windows(), cancellation);
  }
  [[nodiscard]] std::span<const float> last_hidden_state() const override {
    return encoder_.last_hidden_state();
  }
  TokenDecoder& decoder() override { return decoder_; }

 private:
  EncoderPass encoder_;
  KernelTokenDecoder decoder_;
};

}  // namespace whisper_s4y
