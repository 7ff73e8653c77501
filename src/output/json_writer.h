// JSON of transcripts.
#pragma once

#include <string>

#include "whisper_s4y/transcript.h"

namespace whisper_s4y {

/// The result of openai/whisper transcribe() with its fields in their order: text, segments,
/// language. Every segment has words when any has. What only some transcripts have comes last and
/// is left out otherwise: a segment's channel, warnings. One line, text as UTF-8.
[[nodiscard]] std::string to_json(const Transcript& transcript);

/// A segment of it, with its language where that is known; without the words when `words` is false.
[[nodiscard]] std::string to_json(const Segment& segment, bool words);

}  // namespace whisper_s4y
