// The pieces of a transcript that subtitles show one after the other.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "whisper_s4y/output.h"

namespace whisper_s4y {

struct Cue {
  double start = 0;  // seconds
  double end = 0;
  std::string text;     // lines with \n between
  std::string channel;  // of the recording, where channels are told apart
};

/// What becomes of a text in a format that gives characters a meaning.
using Escape = std::string (*)(std::string text);
[[nodiscard]] std::string as_it_is(std::string text);

/// `text` without line breaks, which would end a cue, row or line.
[[nodiscard]] std::string on_one_line(std::string_view text);

/// The cues of a transcript: its segments, or its words laid out as `options` say (openai/whisper
/// utils.py: SubtitlesWriter), each of a millisecond at least. "-->" in a text becomes "->".
[[nodiscard]] std::vector<Cue> cues_of(const Transcript& transcript, const OutputOptions& options,
                                       Escape escape = as_it_is);

}  // namespace whisper_s4y
