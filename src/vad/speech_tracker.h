// The rule that turns probabilities into segments, one chunk at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "whisper_s4y/vad.h"

namespace whisper_s4y {

/// faster-whisper vad.py: the loop of get_speech_timestamps. Segments are without padding.
class SpeechTracker {
 public:
  /// Throws Error when the options are impossible.
  explicit SpeechTracker(const VadOptions& options);

  /// Takes the probability of the next chunk and appends the segments that it ends, if any.
  void next(float speech_prob, std::vector<SpeechSegment>& ended);
  /// The recording ends after `audio_length` samples; appends the segment that lasted until then.
  void finish(int64_t audio_length, std::vector<SpeechSegment>& ended);

  /// Where the current segment began; nothing in silence.
  [[nodiscard]] std::optional<int64_t> start() const { return start_; }
  /// The current segment does not end before; nothing in silence, or when it may be dropped still.
  [[nodiscard]] std::optional<int64_t> least_end() const;

 private:
  void end_segment(int64_t end, std::vector<SpeechSegment>& ended);

  float threshold_;
  float neg_threshold_;
  double min_speech_;  // samples, as all that follow
  double max_speech_;
  double min_silence_;
  double min_silence_at_max_speech_;

  int64_t position_ = 0;                // of the next chunk
  std::optional<int64_t> start_;        // of the current segment
  std::optional<int64_t> silence_;      // where the silence began that may end the segment
  std::optional<int64_t> split_end_;    // where the segment ends if it must be split
  std::optional<int64_t> split_start_;  // where it goes on then; nothing while it is silent
};

}  // namespace whisper_s4y
