// What the decoding algorithms need of a loaded model. Implemented by WhisperModel on LiteRT and by
// scripted models in tests.
#pragma once

#include <span>

#include "config/model_info.h"

namespace whisper_s4y {

/// A Whisper model whose decoder attends to one encoded 30 s window at a time.
class DecoderModel {
 public:
  virtual ~DecoderModel() = default;
  [[nodiscard]] virtual const ModelInfo& info() const = 0;

  /// Log-mel of exactly 480000 samples (30 s, 16 kHz, mono) -> logmel [num_mel_bins, 3000].
  virtual void features(std::span<const float> normalized_audio, std::span<float> logmel) = 0;

  /// Encodes logmel [num_mel_bins, 3000] and makes it what the decoder attends to from now on.
  virtual void encode(std::span<const float> input_features) = 0;

  /// Feeds `tokens` at positions position, position + 1, ... on the keys and values of the
  /// positions before, which must have been fed. Returns the logits [vocab_size] that follow the
  /// last token; valid until the next call. Going back to an earlier position overwrites what was
  /// after it. Throws Error past max_target_positions.
  virtual std::span<const float> decode(std::span<const int> tokens, int position) = 0;

  /// Number of hypotheses one decode_beams call advances; 0 when the model cannot.
  [[nodiscard]] virtual int max_beams() const = 0;

  /// Copies the state that decode() left (positions before `position`) to every hypothesis.
  virtual void start_beams(int position) = 0;

  /// One step for n = tokens.size() <= max_beams() hypotheses: hypothesis i continues the former
  /// hypothesis parents[i] with tokens[i] at `position`. Returns logits [n, vocab_size]; valid
  /// until the next call.
  virtual std::span<const float> decode_beams(std::span<const int> tokens,
                                              std::span<const int> parents, int position) = 0;
};

}  // namespace whisper_s4y
