// The walk over a recording, one 30 s window after the other (openai/whisper transcribe.py).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "transcribe/audible_spans.h"
#include "transcribe/clips.h"
#include "transcribe/language_stretches.h"
#include "transcribe/log_mel.h"
#include "transcribe/segments.h"
#include "transcribe/sound_buffer.h"
#include "transcribe/sound_spans.h"
#include "transcribe/speech_windows.h"
#include "transcribe/window_transcriber.h"
#include "whisper_s4y/transcriber.h"

namespace whisper_s4y {

/// One recording on its way to a transcript.
class LongForm {
 public:
  /// The options are checked ones; when they ask for several languages, `stretches` are where those
  /// are spoken. `speech`: the sound is speech that was cut out and joined, in these spans, which
  /// grow as it is heard. All arguments outlive the object.
  LongForm(DecoderModel& model, const Tokenizer& tokenizer, SoundBuffer& sound,
           const TranscribeOptions& options, const TranscribeCallbacks& callbacks,
           DetectorSource detector = {}, LanguageStretches* stretches = nullptr,
           const SoundSpans* speech = nullptr);

  /// To be called once. How long the recording is the transcript does not say: what comes after the
  /// last clip is not heard.
  [[nodiscard]] Transcript run();

 private:
  /// Text that may come before a window.
  struct History {
    std::vector<int> tokens;
    size_t reset_since = 0;  // the part of `tokens` that prompts the next window
  };

  [[nodiscard]] std::optional<int> walk(const Clip& clip);
  [[nodiscard]] bool hear(int seek);
  void look(int until);
  [[nodiscard]] bool is_over(int frame) const;
  [[nodiscard]] const LanguageStretch* stretch_at(int begin, int until);
  [[nodiscard]] int end_of(const Clip& clip, int seek);
  [[nodiscard]] std::optional<int> next_sound(const Clip& clip, int seek);
  [[nodiscard]] bool is_empty_rest(const Clip& clip, int seek, int end);
  [[nodiscard]] int end_after(const WindowPlace& place, double seconds);
  [[nodiscard]] const SoundSpans& spans() const;
  [[nodiscard]] SoundSpan limits_of(const Segment& segment) const;
  [[nodiscard]] bool is_cancelled() const;
  void tell_progress(int frame);
  LanguageProbs find_languages();
  LanguageProbs detect_language();
  [[nodiscard]] LanguageProbs window_languages(int begin);
  void speak(const std::string& language);
  [[nodiscard]] std::vector<int> prompt() const;
  [[nodiscard]] int transcribe_window(const WindowPlace& place);
  void keep(std::vector<Segment> segments);

  DecoderModel& model_;
  const Tokenizer& tokenizer_;
  const TranscribeOptions& options_;
  const TranscribeCallbacks& callbacks_;
  DetectorSource detector_;
  SoundBuffer& sound_;
  LanguageStretches* stretches_;  // null: one language
  LogMel log_mel_;
  AudibleSpans audible_;
  WindowTranscriber windows_;
  std::vector<Clip> clips_;
  const SoundSpans* speech_;  // null: the sound is the recording

  Transcript transcript_;
  std::string language_;                      // of the window
  std::vector<int> initial_prompt_;           // tokens
  std::vector<int> prefix_;                   // tokens, until the first window is done
  std::map<std::string, History> histories_;  // by language
  double last_speech_ = 0.0;                  // when the last word ended, seconds
  double last_end_ = 0.0;                     // of the last segment, seconds
  int told_ = 0;                              // frames that were told as done
};

}  // namespace whisper_s4y
