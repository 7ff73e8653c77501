// The walk over a recording, one 30 s window after the other (openai/whisper transcribe.py).
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "transcribe/clips.h"
#include "transcribe/log_mel.h"
#include "transcribe/segments.h"
#include "transcribe/window_transcriber.h"
#include "whisper_s4y/transcriber.h"

namespace whisper_s4y {

/// One recording on its way to a transcript.
class LongForm {
 public:
  /// Computes the log-mel of `audio`. The options are checked ones. All arguments outlive the
  /// object. Throws Error for impossible clips.
  LongForm(DecoderModel& model, const Tokenizer& tokenizer, std::span<const float> audio,
           const TranscribeOptions& options, const TranscribeCallbacks& callbacks);

  /// To be called once.
  [[nodiscard]] Transcript run();

 private:
  void walk(const Clip& clip);
  void detect_language();
  [[nodiscard]] std::vector<int> prompt() const;
  [[nodiscard]] int transcribe_window(const WindowPlace& place);
  void keep(std::vector<Segment> segments);

  DecoderModel& model_;
  const Tokenizer& tokenizer_;
  const TranscribeOptions& options_;
  const TranscribeCallbacks& callbacks_;
  double duration_;
  LogMel log_mel_;
  WindowTranscriber windows_;
  std::vector<Clip> clips_;

  Transcript transcript_;
  std::string language_;             // of the window
  std::vector<int> initial_prompt_;  // tokens
  std::vector<int> prefix_;          // tokens, until the first window is done
  std::vector<int> history_;         // initial prompt and all tokens kept so far
  size_t prompt_reset_since_ = 0;    // the part of history_ that prompts the next window
  double last_speech_ = 0.0;         // when the last word ended, seconds
};

}  // namespace whisper_s4y
