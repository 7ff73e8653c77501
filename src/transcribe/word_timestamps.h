// Words with times for the segments of a window.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "decoding/word_timing.h"
#include "transcribe/segments.h"

namespace whisper_s4y {

/// Gives every segment of one window its words and moves the segments' times to those of their
/// words (openai/whisper timing.py: add_word_timestamps). `alignment` are the words of all segments
/// in order, timed from the window's start; `last_speech` is when the speech before this window
/// ended, in seconds. `eot` = <|endoftext|>: lower ids are text.
void add_word_timestamps(std::vector<Segment>& segments, std::vector<WordTiming> alignment,
                         const WindowPlace& place, double last_speech, int eot,
                         std::string_view prepend_punctuations,
                         std::string_view append_punctuations);

/// When the last word of the segments ends; the end of the last segment when there are no words;
/// `otherwise` when there are no segments (timing.py: get_end).
[[nodiscard]] double last_word_end(std::span<const Segment> segments, double otherwise);

}  // namespace whisper_s4y
