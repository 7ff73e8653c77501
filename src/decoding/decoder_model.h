// What the decoding algorithms need of a loaded model. Implemented by WhisperModel on LiteRT and by
// scripted models in tests.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "common/cancellation.h"
#include "common/fail.h"
#include "config/model_info.h"
#include "decoding/window_positions.h"

namespace whisper_s4y {

/// What align() found out about a row of T tokens. Views are valid until the model's next call.
struct AlignmentScores {
  std::span<const float> scores;  // [heads, rows, positions]: Q K^T / sqrt(head_dim)
  int heads = 0;                  // alignment heads, in the order of alignment_heads
  int rows = 0;                   // >= T; rows after the T-th mean nothing
  int positions = 0;              // max_source_positions
  std::span<const float>
      next_token_probs;  // [>= T]: [i] = P(token i + 1 | tokens 0..i), a softmax
                         // over the ids below <|endoftext|>; [T - 1] means nothing

  /// Scores of one head for one token over all positions.
  [[nodiscard]] std::span<const float> row(int head, int token) const {
    const auto width = static_cast<size_t>(positions);
    const auto index =
        static_cast<size_t>(head) * static_cast<size_t>(rows) + static_cast<size_t>(token);
    return scores.subspan(index * width, width);
  }
};

/// A Whisper model whose decoder attends to one encoded 30 s window at a time.
class DecoderModel {
 public:
  virtual ~DecoderModel() = default;
  [[nodiscard]] virtual const ModelInfo& info() const = 0;

  /// From now on asked while something is computed, which then throws Cancelled; null: no one. It
  /// outlives the calls.
  virtual void set_cancellation([[maybe_unused]] Cancellation* cancellation) {}

  /// Log-mel of exactly 480000 samples (30 s, 16 kHz, mono) -> logmel [num_mel_bins, 3000].
  virtual void features(std::span<const float> normalized_audio, std::span<float> logmel) = 0;

  /// Encodes logmel [num_mel_bins, 3000] and makes it what the decoder attends to from now on.
  virtual void encode(std::span<const float> input_features) = 0;

  /// Whether encode_sampled() works.
  [[nodiscard]] virtual bool can_sample() const { return false; }

  /// encode() at `positions` of the window alone, for a fraction of its time: an approximation.
  /// What the positions after the contiguous ones see of the features, which is padding, must be
  /// the same everywhere.
  virtual void encode_sampled([[maybe_unused]] std::span<const float> input_features,
                              [[maybe_unused]] const WindowPositions& positions) {
    fail(ErrorCode::unsupported, "{} can encode whole windows only.", info().name);
  }

  /// Feeds `tokens` at positions position, position + 1, ... on the keys and values of the
  /// positions before, which must have been fed. Returns the logits [vocab_size] that follow the
  /// last token; valid until the next call. Going back to an earlier position overwrites what was
  /// after it. Throws Error past max_target_positions.
  virtual std::span<const float> decode(std::span<const int> tokens, int position) = 0;

  /// Number of hypotheses one decode_beams call advances; 0 when the model cannot.
  [[nodiscard]] virtual int max_beams() const = 0;

  /// Copies the state that decode() left (positions before `position`) to every hypothesis. What
  /// decode() left stays as it is, here and in decode_beams().
  virtual void start_beams(int position) = 0;

  /// One step for n = tokens.size() <= max_beams() hypotheses: hypothesis i continues the former
  /// hypothesis parents[i] with tokens[i] at `position`. Returns logits [n, vocab_size]; valid
  /// until the next call.
  virtual std::span<const float> decode_beams(std::span<const int> tokens,
                                              std::span<const int> parents, int position) = 0;

  /// The same model once more, for another thread: it computes with 1 / `share` of this one's
  /// threads. Throws Error when the model cannot.
  [[nodiscard]] virtual std::unique_ptr<DecoderModel> another([[maybe_unused]] int share) const {
    fail(ErrorCode::unsupported, "{} cannot be run several times at once.", info().name);
  }

  /// True when align() works: the file has the `align` part.
  [[nodiscard]] virtual bool can_align() const { return false; }

  /// Reads all of `tokens` (at most max_target_positions) at positions 0, 1, ... and reports where
  /// the alignment heads look in the encoded window; of one that is sampled, in the positions that
  /// are contiguous. May overwrite what decode() left.
  virtual AlignmentScores align([[maybe_unused]] std::span<const int> tokens) {
    fail(ErrorCode::unsupported,
         "{} was converted without the signature align, which word timestamps need.", info().name);
  }
};

}  // namespace whisper_s4y
