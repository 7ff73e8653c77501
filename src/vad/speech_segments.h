// Segments of speech, the audio that is left of them, and the way back to the recording's times.
#pragma once

#include <span>
#include <vector>

#include "whisper_s4y/vad.h"

namespace whisper_s4y {

/// faster-whisper vad.py: get_speech_timestamps, for probabilities of SpeechDetector::speech_probs
/// and a recording of `audio_length` samples. Segments are padded, in order, and do not overlap.
[[nodiscard]] std::vector<SpeechSegment> get_speech_timestamps(std::span<const float> speech_probs,
                                                               int64_t audio_length,
                                                               const VadOptions& options = {});

/// Segments side by side, without the silence between them.
struct SpeechChunk {
  std::vector<SpeechSegment> segments;
  int64_t offset = 0;    // samples of speech before it
  int64_t duration = 0;  // samples in it

  bool operator==(const SpeechChunk&) const = default;
};

/// faster-whisper vad.py: collect_chunks. Joins segments as long as a chunk lasts no longer than
/// `max_duration` samples; a longer segment is a chunk alone. No segments, no chunks.
[[nodiscard]] std::vector<SpeechChunk> collect_chunks(std::span<const SpeechSegment> segments,
                                                      int64_t max_duration);

/// The samples of the segments one after another.
[[nodiscard]] std::vector<float> collect_audio(std::span<const float> audio,
                                               std::span<const SpeechSegment> segments);

/// faster-whisper vad.py: SpeechTimestampsMap. Takes times of collect_audio() back to those of the
/// recording. Needs at least one segment.
class SpeechTimestampsMap {
 public:
  explicit SpeechTimestampsMap(std::span<const SpeechSegment> segments);

  /// Seconds in the recording, rounded to hundredths. Where two segments meet, the time is the
  /// beginning of the later one, or with `is_end` the end of the earlier one.
  [[nodiscard]] double original_time(double seconds, bool is_end = false) const;
  /// The same for a time that belongs to segment `index`, from whose beginning to end it stays.
  [[nodiscard]] double original_time(double seconds, size_t index) const;
  /// Index of the segment that the time lies in.
  [[nodiscard]] size_t segment_at(double seconds, bool is_end = false) const;

 private:
  std::vector<int64_t> ends_;           // of each segment, in samples of speech
  std::vector<double> silence_before_;  // seconds
  std::vector<SpeechSegment> segments_;
};

}  // namespace whisper_s4y
