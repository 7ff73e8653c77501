// From the tokens of a window to segments, and to where the next window begins.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "config/front_end.h"
#include "config/model_info.h"
#include "decoding/decoding_options.h"
#include "tokenizer/tokenizer.h"
#include "whisper_s4y/transcript.h"

namespace whisper_s4y {

/// The frame that begins at `seconds`, rounded as Python rounds.
[[nodiscard]] int frame_at(double seconds);

/// The part of the recording a window shows, in mel frames of 10 ms.
struct WindowPlace {
  int seek = 0;          // first frame
  int segment_size = 0;  // frames of the recording; the rest of the 3000 is padding

  /// In seconds.
  [[nodiscard]] double time_offset() const { return seek / kFramesPerSecond; }
  [[nodiscard]] double segment_duration() const { return segment_size / kFramesPerSecond; }
};

struct WindowSegments {
  std::vector<Segment> segments;         // times in seconds of the recording
  int next_seek = 0;                     // frame the next window begins at
  bool single_timestamp_ending = false;  // no speech after the last timestamp
};

/// What becomes of text after the last place where two timestamps meet.
enum class Rest {
  decode_again,  // left to the next window, which begins there
  keep,          // a segment until the window's end
};

/// Cuts a window's tokens where two timestamps meet (openai/whisper transcribe.py); without such a
/// place the window is one segment.
[[nodiscard]] WindowSegments split_segments(const DecodingResult& result, const WindowPlace& place,
                                            const Tokenizer& tokenizer,
                                            const GenerationConfig& generation,
                                            Rest rest = Rest::decode_again);

/// Adds the tokens that are text.
void append_text(std::span<const int> tokens, const GenerationConfig& generation,
                 std::vector<int>& text);

/// Whether a segment says anything. The reference keeps those that do not, without text; an empty
/// cue helps nobody.
[[nodiscard]] bool says_something(const Segment& segment);

/// Gives back the room that a segment does not use: of long recordings there are many.
void shrink(Segment& segment);

/// The text of all segments together: a character may be spread over two of them.
[[nodiscard]] std::string text_of(std::span<const Segment> segments, const Tokenizer& tokenizer,
                                  const GenerationConfig& generation);

}  // namespace whisper_s4y
