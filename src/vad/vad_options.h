// How probabilities of speech become segments.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>

namespace whisper_s4y {

/// Names and defaults are those of faster-whisper's VadOptions.
struct VadOptions {
  double threshold = 0.5;               // probability from which on a chunk is speech
  std::optional<double> neg_threshold;  // below it speech ends; nothing = threshold - 0.15
  int min_speech_duration_ms = 0;       // shorter segments are dropped
  double max_speech_duration_s = std::numeric_limits<double>::infinity();  // longer ones are split
  int min_silence_duration_ms = 2000;     // of silence that end a segment
  int speech_pad_ms = 400;                // added at both ends of a segment
  int min_silence_at_max_speech_ms = 98;  // pauses longer than this are where long speech is split

  /// Throws Error when a value is impossible.
  void validate() const;
};

/// A stretch of speech, in samples of the recording: [start, end).
struct SpeechSegment {
  int64_t start = 0;
  int64_t end = 0;

  [[nodiscard]] int64_t size() const { return end - start; }
  bool operator==(const SpeechSegment&) const = default;
};

}  // namespace whisper_s4y
