// Tells speech from everything else, 32 ms at a time.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "runtime/weight_cache.h"

namespace whisper_s4y {

inline constexpr int kVadChunk = 512;  // samples one probability is for: 32 ms at 16 kHz

class SpeechDetector {
 public:
  virtual ~SpeechDetector() = default;

  /// Forgets what was heard: the next chunk is the beginning of a recording.
  virtual void reset() = 0;

  /// Hears further chunks of a recording: `chunks` is mono at 16 kHz, kVadChunk samples for each
  /// of `speech_probs`, which gets the probabilities of speech.
  virtual void hear(std::span<const float> chunks, std::span<float> speech_probs) = 0;

  /// Probabilities for a whole recording from its beginning. As in faster-whisper, zeros fill the
  /// last chunk, and a recording of whole chunks gets one more chunk of zeros.
  [[nodiscard]] std::vector<float> speech_probs(std::span<const float> audio);
};

/// Silero VAD, or the energy detector when LiteRT cannot run it, which `warn` is told of.
[[nodiscard]] std::unique_ptr<SpeechDetector> make_speech_detector(const WarningCallback& warn);

}  // namespace whisper_s4y
