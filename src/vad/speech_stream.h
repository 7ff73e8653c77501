// Utterances of a live recording, as they begin and end.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "vad/speech_tracker.h"
#include "whisper_s4y/vad.h"

namespace whisper_s4y {

struct SpeechEvent {
  enum class Kind {
    start,    // an utterance began
    end,      // it ended
    dropped,  // it ended and was shorter than min_speech_duration_ms
  };
  Kind kind = Kind::start;
  int64_t sample = 0;  // of the recording, with padding

  bool operator==(const SpeechEvent&) const = default;
};

/// Hears a recording piece by piece and tells where utterances start and end. The rule is that of
/// get_speech_timestamps(); an end is told options.min_silence_duration_ms after it happened.
class SpeechStream {
 public:
  /// Begins a recording with `detector`, which outlives the stream and hears nothing else
  /// meanwhile. Throws Error when the options are impossible.
  SpeechStream(SpeechDetector& detector, const VadOptions& options);

  /// Hears any number of samples and returns what happened in them, in order.
  [[nodiscard]] std::vector<SpeechEvent> push(std::span<const float> samples);
  /// The recording is over: hears what is left of the last chunk and ends the utterance.
  [[nodiscard]] std::vector<SpeechEvent> finish();

  [[nodiscard]] bool speaking() const { return tracker_.start().has_value(); }
  /// Samples pushed so far.
  [[nodiscard]] int64_t position() const { return position_; }
  /// Probabilities of the chunks that the last push() or finish() completed.
  [[nodiscard]] std::span<const float> speech_probs() const { return probs_; }

 private:
  void track(float speech_prob, std::vector<SpeechEvent>& events);
  void tell(std::optional<int64_t> start_before, std::vector<SpeechEvent>& events);

  SpeechDetector& detector_;
  SpeechTracker tracker_;
  int64_t padding_;
  int64_t position_ = 0;
  int64_t told_until_ = 0;      // end of the last utterance told
  std::vector<float> pending_;  // less than a chunk
  std::vector<float> probs_;
  std::vector<SpeechSegment> ended_;
};

}  // namespace whisper_s4y
