// The walk over a recording, one 30 s window after the other (openai/whisper transcribe.py).
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "decoding/window_decoder.h"
#include "transcribe/log_mel.h"
#include "transcribe/segments.h"
#include "whisper_s4y/transcriber.h"

namespace whisper_s4y {

/// One recording on its way to a transcript.
class LongForm {
 public:
  /// Computes the log-mel of `audio`. All arguments outlive the object. Throws Error when options
  /// do not fit the model or one another.
  LongForm(DecoderModel& model, const Tokenizer& tokenizer, std::span<const float> audio,
           const TranscribeOptions& options, const TranscribeCallbacks& callbacks);

  /// To be called once.
  [[nodiscard]] Transcript run();

 private:
  struct Clip {
    int begin;  // frames
    int end;
  };

  void walk(const Clip& clip);
  void detect_language();
  void encode(int begin, int size);
  [[nodiscard]] std::vector<int> prompt() const;
  [[nodiscard]] DecodingResult decode_with_fallback(const WindowPlace& place);
  [[nodiscard]] bool is_silence(const DecodingResult& result) const;
  [[nodiscard]] int transcribe_window(const WindowPlace& place);
  void keep(std::vector<Segment> segments);

  DecoderModel& model_;
  const Tokenizer& tokenizer_;
  const TranscribeOptions& options_;
  const TranscribeCallbacks& callbacks_;
  double duration_;
  LogMel log_mel_;
  WindowDecoder decoder_;
  std::vector<Clip> clips_;

  Transcript transcript_;
  DecodingOptions window_options_;   // what all windows have in common
  std::vector<float> window_mel_;    // [num_mel_bins, 3000]
  WindowPlace encoded_{-1, 0};       // what the decoder attends to
  std::vector<int> initial_prompt_;  // tokens
  std::vector<int> hotwords_;        // tokens
  std::vector<int> prefix_;          // tokens, until the first window is done
  std::vector<int> history_;         // initial prompt and all tokens kept so far
  size_t prompt_reset_since_ = 0;    // the part of history_ that prompts the next window
  double last_speech_ = 0.0;         // when the last word ended, seconds
};

}  // namespace whisper_s4y
