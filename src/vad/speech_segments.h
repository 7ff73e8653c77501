// Segments of speech, the audio that is left of them, and the way back to the recording's times.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "vad/speech_tracker.h"
#include "whisper_s4y/vad.h"

namespace whisper_s4y {

/// faster-whisper vad.py: get_speech_timestamps, for probabilities of SpeechDetector::speech_probs
/// and a recording of `audio_length` samples. Segments are padded, in order, and do not overlap.
[[nodiscard]] std::vector<SpeechSegment> get_speech_timestamps(std::span<const float> speech_probs,
                                                               int64_t audio_length,
                                                               const VadOptions& options = {});

/// The same for a recording that is heard little by little.
class SpeechSegmenter {
 public:
  /// Throws Error when the options are impossible.
  explicit SpeechSegmenter(const VadOptions& options);

  /// Takes the probability of the next chunk.
  void next(float speech_prob);
  /// The recording ends after `audio_length` samples.
  void finish(int64_t audio_length);

  /// The segments that will not change any more.
  [[nodiscard]] const std::vector<SpeechSegment>& segments() const { return segments_; }
  /// What is certain of the one after these: it begins there and ends there or later. Nothing when
  /// it is not certain that there is one.
  [[nodiscard]] std::optional<SpeechSegment> current() const;
  /// No segment after segments() begins before.
  [[nodiscard]] int64_t least_start() const;

 private:
  void take_ended();
  [[nodiscard]] int64_t share(int64_t silence) const;
  [[nodiscard]] int64_t padded(int64_t start) const;
  void settle(int64_t padding);

  SpeechTracker tracker_;
  int64_t padding_;
  int64_t position_ = 0;               // samples heard
  std::vector<SpeechSegment> ended_;   // by the tracker, without padding
  std::optional<SpeechSegment> last_;  // ended, but what follows tells its padding at the end
  std::optional<int64_t> end_before_;  // of the last one, or of the last of segments_: not padded
  std::vector<SpeechSegment> segments_;
};

/// Segments side by side, without the silence between them.
struct SpeechChunk {
  std::vector<SpeechSegment> segments;
  int64_t offset = 0;    // samples of speech before it
  int64_t duration = 0;  // samples in it

  bool operator==(const SpeechChunk&) const = default;
};

/// faster-whisper vad.py: collect_chunks. Joins segments as long as a chunk lasts no longer than
/// `max_duration` samples; a longer segment is a chunk alone.
class ChunkCollector {
 public:
  explicit ChunkCollector(int64_t max_duration) : max_duration_(max_duration) {}

  /// Takes the next segment. The chunk that it does not fit into any more, if there is one.
  [[nodiscard]] std::optional<SpeechChunk> add(const SpeechSegment& segment);
  /// The last chunk, if there is one. What comes next begins another.
  [[nodiscard]] std::optional<SpeechChunk> finish();

 private:
  int64_t max_duration_;
  int64_t total_ = 0;
  std::optional<SpeechChunk> chunk_;
};

/// faster-whisper vad.py: SpeechTimestampsMap. Takes times of joined speech back to those of the
/// recording. Needs at least one segment.
class SpeechTimestampsMap {
 public:
  explicit SpeechTimestampsMap(std::span<const SpeechSegment> segments);

  /// One more, after the others.
  void add(const SpeechSegment& segment);
  /// The last one ends later than was known.
  void extend(int64_t end);
  [[nodiscard]] const std::vector<SpeechSegment>& segments() const { return segments_; }

  /// The sample of the recording that a sample of the speech is, and the segment that it is in.
  [[nodiscard]] int64_t original_sample(int64_t sample) const;
  [[nodiscard]] const SpeechSegment& segment_of(int64_t sample) const;

  /// Seconds in the recording, rounded to hundredths. Where two segments meet, the time is the
  /// beginning of the later one, or with `is_end` the end of the earlier one.
  [[nodiscard]] double original_time(double seconds, bool is_end = false) const;
  /// The same for a time that belongs to segment `index`, from whose beginning to end it stays.
  [[nodiscard]] double original_time(double seconds, size_t index) const;
  /// Index of the segment that the time lies in.
  [[nodiscard]] size_t segment_at(double seconds, bool is_end = false) const;

 private:
  [[nodiscard]] size_t index_of(int64_t sample) const;

  std::vector<int64_t> ends_;           // of each segment, in samples of speech
  std::vector<double> silence_before_;  // seconds
  std::vector<SpeechSegment> segments_;
};

}  // namespace whisper_s4y
