// Options that contradict the model or one another.
#pragma once

#include "runtime/decoder_model.h"
#include "whisper_s4y/transcriber.h"

namespace whisper_s4y {

/// The options with the language as a code, or none when it shall be detected. Throws Error for an
/// unknown language and for what would have no effect or cannot be done; what concerns a single
/// window is checked when it is decoded.
[[nodiscard]] TranscribeOptions checked_options(TranscribeOptions options, DecoderModel& model);

}  // namespace whisper_s4y
