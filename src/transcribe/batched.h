// Windows of speech decoded independently, several at once (faster-whisper transcribe.py:
// BatchedInferencePipeline).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "runtime/decoder_model.h"
#include "tokenizer/tokenizer.h"
#include "transcribe/language_stretches.h"
#include "transcribe/sound_spans.h"
#include "transcribe/speech.h"
#include "whisper_s4y/transcriber.h"

namespace whisper_s4y {

/// One recording. A window shows as much speech as fits into 30 s and knows nothing of the ones
/// before, so that each model may take the next one that is left. What comes out does not depend on
/// how many models there are.
class Batched {
 public:
  /// Joins `speech`, of which no segment is longer than kLongestChunk, into windows of one
  /// language. The options are checked ones; when they ask for several languages, `stretches` are
  /// where those are spoken. All arguments outlive the object.
  Batched(std::span<DecoderModel* const> models, const Tokenizer& tokenizer,
          std::span<const float> audio, std::span<const SpeechSegment> speech,
          const TranscribeOptions& options, const TranscribeCallbacks& callbacks,
          std::span<const LanguageStretch> stretches = {});

  /// To be called once.
  [[nodiscard]] Transcript run();

 private:
  struct Queue;

  [[nodiscard]] std::pair<std::string, float> detect_language() const;
  [[nodiscard]] std::vector<Segment> transcribe_chunk(DecoderModel& model, size_t index) const;
  void work(DecoderModel& model, Queue& queue) const;
  void keep(std::vector<Segment> segments);

  std::span<DecoderModel* const> models_;
  const Tokenizer& tokenizer_;
  std::span<const float> audio_;
  const TranscribeOptions& options_;
  const TranscribeCallbacks& callbacks_;
  std::span<const LanguageStretch> stretches_;
  std::vector<SpeechChunk> chunks_;
  std::vector<std::string> languages_;  // of each chunk; empty when all are in one
  Transcript transcript_;
};

}  // namespace whisper_s4y
