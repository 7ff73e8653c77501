// One 30 s window from log-mel to segments with words.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "decoding/window_decoder.h"
#include "decoding/word_timing.h"
#include "transcribe/log_mel.h"
#include "transcribe/segments.h"
#include "transcribe/sound_spans.h"
#include "whisper_s4y/transcriber.h"

namespace whisper_s4y {

/// Tokens of " text", the text stripped; none for an empty one.
[[nodiscard]] std::vector<int> encode_text(const Tokenizer& tokenizer, std::string_view text);

/// Tokens that may stand before a window: half the context, less one for <|startofprev|>.
[[nodiscard]] size_t prompt_room(const ModelConfig& config);

/// What a window is decoded after.
struct WindowContext {
  std::string language;     // code
  std::vector<int> prompt;  // tokens before the window
  std::vector<int> prefix;  // tokens the window begins with
  float speech_until = 0;   // seconds, see DecodingOptions
  uint64_t place = 0;       // differs from window to window: gives it random numbers of its own
  std::function<void(float seconds)> on_timestamp;  // see DecodingOptions; of every attempt
};

/// What all windows of a recording have in common. The options are checked ones and outlive the
/// object, as do the others.
class WindowTranscriber {
 public:
  WindowTranscriber(DecoderModel& model, const Tokenizer& tokenizer,
                    const TranscribeOptions& options);

  /// The tokens before a window: hotwords, all or the last of what is carried from window to
  /// window, and in the room that is left the last of the text before the window.
  [[nodiscard]] std::vector<int> prompt(std::span<const int> carried,
                                        std::span<const int> previous) const;

  /// Makes this part of the recording the window to decode; the rest of it is padding, which is
  /// encoded as options.audio_context says.
  void encode(LogMel& log_mel, const WindowPlace& place);
  /// The same with the silence that follows the recording, for detecting the language.
  void encode_with_silence(LogMel& log_mel, int begin);

  /// Probabilities of options.languages, or of all, for the window.
  [[nodiscard]] LanguageProbs language_probs();

  /// Tries the temperatures until a result passes (openai/whisper transcribe.py:
  /// decode_with_fallback). Where the first one does not and padding was left out, it is tried
  /// again with the window encoded in full.
  [[nodiscard]] DecodingResult decode(const WindowContext& context);

  /// A window that gives nothing.
  [[nodiscard]] bool is_silence(const DecodingResult& result) const;

  /// Cuts segments whose text may be said in several spans between the words there, where the
  /// model can align.
  [[nodiscard]] std::vector<Segment> cut(std::vector<Segment> segments, const SoundSpans& spans,
                                         const WindowPlace& place, const std::string& language);

  /// Gives the segments of the window their words; `last_speech` is when the speech before it
  /// ended.
  void add_words(std::vector<Segment>& segments, const WindowPlace& place,
                 const std::string& language, double last_speech);

 private:
  [[nodiscard]] std::vector<WordTiming> align(std::span<const Segment> segments,
                                              const WindowPlace& place,
                                              const std::string& language);

  DecoderModel& model_;
  const Tokenizer& tokenizer_;
  const TranscribeOptions& options_;
  std::optional<double> context_;  // seconds of padding to encode wholly; nothing: all
  WindowDecoder decoder_;
  DecodingOptions window_options_;  // what all windows have in common
  std::vector<int> hotwords_;       // tokens
  std::vector<float> window_mel_;   // [num_mel_bins, 3000]
  WindowPlace encoded_{-1, 0};      // what the decoder attends to
  bool is_sampled_ = false;         // and that padding of it was left out
};

}  // namespace whisper_s4y
