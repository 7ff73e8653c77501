// The walk over a recording, one 30 s window after the other (openai/whisper transcribe.py).
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "transcribe/clips.h"
#include "transcribe/language_stretches.h"
#include "transcribe/log_mel.h"
#include "transcribe/segments.h"
#include "transcribe/sound_spans.h"
#include "transcribe/speech_windows.h"
#include "transcribe/window_transcriber.h"
#include "whisper_s4y/transcriber.h"

namespace whisper_s4y {

/// One recording on its way to a transcript.
class LongForm {
 public:
  /// Computes the log-mel of `audio`. The options are checked ones; when they ask for several
  /// languages, `stretches` are where those are spoken. `speech`: the audio is speech that was cut
  /// out and joined, in these spans. All arguments outlive the object. Throws Error for impossible
  /// clips.
  LongForm(DecoderModel& model, const Tokenizer& tokenizer, std::span<const float> audio,
           const TranscribeOptions& options, const TranscribeCallbacks& callbacks,
           DetectorSource detector = {}, std::span<const LanguageStretch> stretches = {},
           std::optional<SoundSpans> speech = {});

  /// To be called once.
  [[nodiscard]] Transcript run();

 private:
  /// Text that may come before a window.
  struct History {
    std::vector<int> tokens;
    size_t reset_since = 0;  // the part of `tokens` that prompts the next window
  };

  void walk(const Clip& clip);
  [[nodiscard]] int next_sound(int seek) const;
  [[nodiscard]] bool is_empty_rest(const Clip& clip, int seek) const;
  [[nodiscard]] SoundSpan limits_of(const Segment& segment) const;
  void detect_language();
  void speak(const std::string& language);
  [[nodiscard]] std::vector<int> prompt() const;
  [[nodiscard]] int transcribe_window(const WindowPlace& place);
  void keep(std::vector<Segment> segments);

  DecoderModel& model_;
  const Tokenizer& tokenizer_;
  const TranscribeOptions& options_;
  const TranscribeCallbacks& callbacks_;
  DetectorSource detector_;
  std::span<const float> audio_;
  std::span<const LanguageStretch> stretches_;
  double duration_;
  LogMel log_mel_;
  WindowTranscriber windows_;
  std::vector<Clip> clips_;
  bool is_joined_speech_;
  SoundSpans spans_;  // of the speech, or where something can be heard

  Transcript transcript_;
  std::string language_;                      // of the window
  std::vector<int> initial_prompt_;           // tokens
  std::vector<int> prefix_;                   // tokens, until the first window is done
  std::map<std::string, History> histories_;  // by language
  double last_speech_ = 0.0;                  // when the last word ended, seconds
  double last_end_ = 0.0;                     // of the last segment, seconds
};

}  // namespace whisper_s4y
