#include "transcribe/check_options.h"

#include <string>

#include "decoding/text.h"
#include "tokenizer/languages.h"
#include "whisper_s4y/error.h"

namespace whisper_s4y {
namespace {

void check_words(const TranscribeOptions& options, DecoderModel& model) {
  if (options.hallucination_silence_threshold) {
    if (!options.word_timestamps) {
      fail("hallucination_silence_threshold needs word timestamps.");
    }
    if (!(*options.hallucination_silence_threshold >= 0)) {
      fail("hallucination_silence_threshold must be 0 or more seconds, not {}.",
           *options.hallucination_silence_threshold);
    }
  }
  if (options.word_timestamps && !model.can_align()) {
    fail("{} was converted without the align part, which word timestamps need; convert it again.",
         model.info().name);
  }
}

void check_speech(const TranscribeOptions& options) {
  if (options.batch_size < 0) fail("batch_size must be 0 or more, not {}.", options.batch_size);
  if (options.vad_options && !options.vad_filter && options.batch_size == 0) {
    fail("Options of the voice activity detection need vad_filter or batch_size.");
  }
  if (options.vad_options) options.vad_options->validate();
  if (options.batch_size > 0 && options.hallucination_silence_threshold) {
    fail(
        "hallucination_silence_threshold skips silence on a walk from window to window; with "
        "batch_size voice activity detection leaves silence out already.");
  }
}

void check_language(TranscribeOptions& options, const ModelInfo& info) {
  if (options.language == "auto") options.language.reset();
  if (options.language) options.language = std::string(language_code(*options.language));
  if (options.multilingual && !info.generation.is_multilingual) {
    fail("{} is an English-only model; it cannot detect the language of every window.", info.name);
  }
  if (options.multilingual && options.language) {
    fail("Detecting the language of every window and giving the language exclude each other.");
  }
  if (options.language_detection_segments < 1) {
    fail("language_detection_segments must be 1 or more, not {}.",
         options.language_detection_segments);
  }
}

}  // namespace

TranscribeOptions checked_options(TranscribeOptions options, DecoderModel& model) {
  if (options.temperatures.empty()) fail("At least one temperature is needed.");
  check_language(options, model.info());
  check_words(options, model);
  if (options.carry_initial_prompt && stripped(options.initial_prompt).empty()) {
    fail("carry_initial_prompt needs an initial_prompt.");
  }
  if (!stripped(options.hotwords).empty() && !stripped(options.prefix).empty()) {
    fail("hotwords and prefix cannot be given together.");
  }
  check_speech(options);
  return options;
}

}  // namespace whisper_s4y
