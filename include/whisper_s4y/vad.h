// Voice activity detection: where in a recording somebody speaks.
//
//     auto detector = whisper_s4y::make_speech_detector();
//     for (const auto& [start, end] : whisper_s4y::get_speech_timestamps(*detector, samples))
//       std::cout << start / 16000.0 << " to " << end / 16000.0 << '\n';
//
// docs/vad.md explains the model and the rules.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "whisper_s4y/export.h"
#include "whisper_s4y/span.h"

namespace whisper_s4y {

inline constexpr int kVadChunk = 512;  // samples one probability is for: 32 ms at 16 kHz

/// How probabilities of speech become segments. Names and defaults are faster-whisper's.
struct WHISPER_S4Y_API VadOptions {
  double threshold = 0.5;               // probability from which on a chunk is speech
  std::optional<double> neg_threshold;  // below it speech ends; nothing = threshold - 0.15
  int min_speech_duration_ms = 0;       // shorter segments are dropped
  double max_speech_duration_s = std::numeric_limits<double>::infinity();  // longer ones are split
  int min_silence_duration_ms = 2000;                                      // that end a segment
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
  bool operator==(const SpeechSegment& other) const {
    return start == other.start && end == other.end;
  }
  bool operator!=(const SpeechSegment& other) const { return !(*this == other); }
};

/// Tells speech from everything else, 32 ms at a time.
class WHISPER_S4Y_API SpeechDetector {
 public:
  virtual ~SpeechDetector() = default;

  /// Forgets what was heard: the next chunk is the beginning of a recording.
  virtual void reset() = 0;

  /// Hears further chunks of a recording: `chunks` is mono at 16 kHz, kVadChunk samples for each
  /// of `speech_probs`, which gets the probabilities of speech.
  virtual void hear(Span<const float> chunks, Span<float> speech_probs) = 0;

  /// Probabilities for a whole recording from its beginning. As in faster-whisper, zeros fill the
  /// last chunk, and a recording of whole chunks gets one more chunk of zeros. Throws Error when a
  /// sample is not finite.
  [[nodiscard]] std::vector<float> speech_probs(Span<const float> audio);
};

/// Silero VAD, or a detector of loudness when LiteRT cannot run it, which `warn` is told of.
[[nodiscard]] WHISPER_S4Y_API std::unique_ptr<SpeechDetector> make_speech_detector(
    const std::function<void(const std::string&)>& warn = {});

/// The segments of a recording that hold speech (faster-whisper vad.py: get_speech_timestamps).
/// `audio` is mono at 16 kHz. Segments are padded, in order, and do not overlap. `cancelled` is
/// asked again and again: when it says true, Error with ErrorCode::cancelled is thrown.
[[nodiscard]] WHISPER_S4Y_API std::vector<SpeechSegment> get_speech_timestamps(
    SpeechDetector& detector, Span<const float> audio, const VadOptions& options = {},
    const std::function<bool()>& cancelled = {});

}  // namespace whisper_s4y
