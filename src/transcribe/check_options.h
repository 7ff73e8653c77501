// Options that contradict the model or one another.
#pragma once

#include "runtime/decoder_model.h"
#include "whisper_s4y/transcriber.h"

namespace whisper_s4y {

/// Valid options with the language as a code, or none when it shall be detected. Throws Error for
/// what this model cannot do.
[[nodiscard]] TranscribeOptions checked_options(TranscribeOptions options, DecoderModel& model);

}  // namespace whisper_s4y
