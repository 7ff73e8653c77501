// Transcripts behind C's handle.
#pragma once

#include "whisper_s4y/transcript.h"
#include "whisper_s4y/whisper_s4y.h"

struct whisper_s4y_transcript {
  whisper_s4y::Transcript transcript;
};

namespace whisper_s4y::c_api {

/// Views into the segment, which lives as long.
[[nodiscard]] whisper_s4y_segment c_segment(const Segment& segment);
[[nodiscard]] whisper_s4y_word c_word(const Word& word);

}  // namespace whisper_s4y::c_api
