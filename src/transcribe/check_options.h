// Options that contradict the model or one another.
#pragma once

#include <string>
#include <vector>

#include "decoding/decoder_model.h"
#include "tokenizer/tokenizer.h"
#include "whisper_s4y/transcriber.h"

namespace whisper_s4y {

/// Valid options with the language as a code, or none when it shall be detected. Throws Error for
/// what this model cannot do.
[[nodiscard]] TranscribeOptions checked_options(TranscribeOptions options, DecoderModel& model);

/// What of the prompt, the hotwords and the prefix the model has no room for, a sentence each.
[[nodiscard]] std::vector<std::string> cut_texts(const TranscribeOptions& options,
                                                 const DecoderModel& model,
                                                 const Tokenizer& tokenizer);

}  // namespace whisper_s4y
