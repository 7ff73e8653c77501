// A Transcriber over any DecoderModel: scripted ones of tests, and those that measure.
#pragma once

#include "decoding/decoder_model.h"
#include "whisper_s4y/transcriber.h"

namespace whisper_s4y {

/// The model outlives the transcriber.
[[nodiscard]] Transcriber transcriber_over(DecoderModel& model);

}  // namespace whisper_s4y
