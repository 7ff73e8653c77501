// What computes the parts of a model for WhisperModel, on arguments that have been checked.
#pragma once

#include <span>

#include "common/cancellation.h"
#include "decoding/window_positions.h"
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
  /// Whether encode() takes positions.
  [[nodiscard]] virtual bool can_sample() const { return false; }
  /// Makes the last hidden state, and what tokens attend to: at these positions of the window;
  /// null: at all.
  virtual void encode(std::span<const float> input_features, const WindowPositions* positions,
                      Cancellation* cancellation) = 0;
  /// [positions, d_model] of the last encode().
  [[nodiscard]] virtual std::span<const float> last_hidden_state() const = 0;
  virtual TokenDecoder& decoder() = 0;
};

}  // namespace whisper_s4y
