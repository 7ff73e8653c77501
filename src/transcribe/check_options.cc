#include "transcribe/check_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "common/fail.h"
#include "options/option_error.h"
#include "transcribe/transcribe_options.h"
#include "transcribe/window_transcriber.h"

namespace whisper_s4y {

TranscribeOptions checked_options(TranscribeOptions options, DecoderModel& model) {
  options.validate();
  options.language = wanted_language(options);
  options.languages = wanted_languages(options);
  const ModelInfo& info = model.info();
  const bool tells_apart = options.multilingual || !options.languages.empty();
  if (tells_apart && !info.generation.is_multilingual) {
    fail_unsupported(options.multilingual ? "multilingual" : "languages",
                     "{} is an English-only model; it cannot tell languages apart.", info.name);
  }
  for (const std::string& language : options.languages) {
    if (info.generation.language_token(language) < 0) {
      fail_unsupported("languages", "{} does not know the language \"{}\".", info.name, language);
    }
  }
  if (seconds_of_context(options) && !model.can_sample()) {
    fail_unsupported(
        "audio_context",
        "{} is computed by LiteRT, which encodes whole windows only; use auto or full.", info.name);
  }
  if (options.word_timestamps && !model.can_align()) {
    fail_unsupported("word_timestamps",
                     "{} was converted without the signature align, which word timestamps need; "
                     "convert it again.",
                     info.name);
  }
  return options;
}

std::vector<std::string> cut_texts(const TranscribeOptions& options, const DecoderModel& model,
                                   const Tokenizer& tokenizer) {
  std::vector<std::string> warnings;
  const size_t room = prompt_room(model.info().config);
  const size_t hotwords = encode_text(tokenizer, options.hotwords).size();
  if (hotwords > room) {
    warnings.push_back(fmt::format(
        "The hotwords make {} tokens, but there is room for {}: the last of them are left out.",
        hotwords, room));
  }
  const size_t left = room - std::min(hotwords, room);
  const size_t prompt = encode_text(tokenizer, options.initial_prompt).size();
  if (prompt > left) {
    warnings.push_back(
        fmt::format("The initial prompt makes {} tokens, but there is room for {}{}: its beginning "
                    "is left out.",
                    prompt, left, hotwords > 0 ? " beside the hotwords" : ""));
  }
  const size_t prefix = encode_text(tokenizer, options.prefix).size();
  if (prefix > room) {
    warnings.push_back(
        fmt::format("The prefix makes {} tokens, but there is room for {}: its end is left out.",
                    prefix, room));
  }
  return warnings;
}

}  // namespace whisper_s4y
