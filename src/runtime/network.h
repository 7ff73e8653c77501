// What computes the parts of a model for WhisperModel, on arguments that have been checked.
#pragma once

#include <span>

#include "common/cancellation.h"
#include "runtime/token_decoder.h"

namespace whisper_s4y {

/// Makes log-mel spectrograms.
class FrontEnd {
 public:
  virtual ~FrontEnd() = default;
  /// As DecoderModel::features().
  virtual void run(std::span<const float> normalized_audio, std::span<float> logmel,
                   Cancellation* cancellation) = 0;
};

/// Encoder and decoder.
class Network {
 public:
  virtual ~Network() = default;
  /// Makes the last hidden state, and what tokens attend to.
  virtual void encode(std::span<const float> input_features, Cancellation* cancellation) = 0;
  /// [max_source_positions, d_model] of the last encode().
  [[nodiscard]] virtual std::span<const float> last_hidden_state() const = 0;
  virtual TokenDecoder& decoder() = 0;
};

}  // namespace whisper_s4y
