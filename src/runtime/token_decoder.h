// How a loaded model decodes the tokens of a window.
#pragma once

#include <cstddef>
#include <span>

#include "common/cancellation.h"
#include "decoding/decoder_model.h"

namespace whisper_s4y {

/// What DecoderModel says of the calls of the same names, on arguments that have been checked.
class TokenDecoder {
 public:
  virtual ~TokenDecoder() = default;
  /// The encoder has made keys and values of another window.
  virtual void start_window() = 0;
  /// Positions that decode() has fed.
  [[nodiscard]] virtual int fed() const = 0;
  virtual std::span<const float> decode(std::span<const int> tokens, int position,
                                        Cancellation* cancellation) = 0;
  virtual void start_beams(int position) = 0;
  /// Whether start_beams() has been called.
  [[nodiscard]] virtual bool has_beams() const = 0;
  virtual std::span<const float> decode_beams(std::span<const int> tokens,
                                              std::span<const int> parents, int position,
                                              Cancellation* cancellation) = 0;
  virtual AlignmentScores align(std::span<const int> tokens, Cancellation* cancellation) = 0;
};

}  // namespace whisper_s4y
