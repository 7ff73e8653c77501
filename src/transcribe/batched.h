// Windows of speech decoded independently, several at once (faster-whisper transcribe.py:
// BatchedInferencePipeline).
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "decoding/decoder_model.h"
#include "tokenizer/tokenizer.h"
#include "transcribe/language_stretches.h"
#include "transcribe/sound_spans.h"
#include "transcribe/speech.h"
#include "whisper_s4y/transcriber.h"

namespace whisper_s4y {

/// One recording. A window shows as much speech as fits into 30 s and knows nothing of the ones
/// before, so that each model may take the next one that is left. What comes out does not depend on
/// how many models there are. The recording is heard as windows are needed.
class Batched {
 public:
  /// Joins `speech`, of which no part is longer than kLongestChunk, into windows of one language.
  /// The options are checked ones; when they ask for several languages, `stretches` are where those
  /// are spoken, which may use the model when there is only one. All arguments outlive the object.
  Batched(std::vector<DecoderModel*> models, const Tokenizer& tokenizer, SoundBuffer& sound,
          SpeechParts& speech, const TranscribeOptions& options,
          const TranscribeCallbacks& callbacks, LanguageStretches* stretches = nullptr);

  /// To be called once. How long the recording is the transcript does not say.
  [[nodiscard]] Transcript run();

 private:
  struct Queue;
  struct Window {
    SpeechChunk speech;
    std::string language;  // empty: that of all
    std::vector<float> samples;
  };

  [[nodiscard]] std::optional<Window> next_window();
  [[nodiscard]] std::optional<Window> collect_window();
  [[nodiscard]] std::optional<SpeechSegment> next_part();
  [[nodiscard]] LanguageProbs find_languages();
  [[nodiscard]] std::vector<Segment> transcribe(DecoderModel& model, const Window& window) const;
  void run_alone();
  void run_side_by_side();
  void work(DecoderModel& model, Queue& queue) const;
  void work_to_the_end(DecoderModel& model, Queue& queue) const;
  void keep(std::vector<Segment> segments, double end);

  std::vector<DecoderModel*> models_;
  const Tokenizer& tokenizer_;
  SoundBuffer& sound_;
  SpeechParts& speech_;
  const TranscribeOptions& options_;
  const TranscribeCallbacks& callbacks_;
  LanguageStretches* stretches_;  // null: all is in one language
  ChunkCollector chunks_;
  std::optional<SpeechSegment> rest_;  // of the part of speech that was taken last
  std::string part_language_;          // of what next_part() gave
  std::string collected_language_;     // of what chunks_ collects
  std::vector<float> collected_;       // its samples
  bool is_over_ = false;               // there is no more speech
  std::deque<Window> ready_;           // collected early
  Transcript transcript_;
};

}  // namespace whisper_s4y
