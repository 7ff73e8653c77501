// When words are spoken (openai/whisper timing.py: find_alignment).
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "decoding/decoder_model.h"
#include "tokenizer/tokenizer.h"

namespace whisper_s4y {

/// A word, the tokens it is made of and when it is spoken, in seconds from the window's start.
struct WordTiming {
  std::string word;  // with its leading space
  std::vector<int> tokens;
  double start = 0;
  double end = 0;
  double probability = 0;  // mean over its tokens
};

/// Times of the words of `text_tokens` (no timestamps, no <|endoftext|>) in the window the model
/// has encoded, whose first `num_frames` of 3000 frames are real. `language` decides how words are
/// split; `sot_sequence` is what the text was decoded after, <|notimestamps|> not included. Forgets
/// what decode() was fed. Throws Error when the model cannot align.
[[nodiscard]] std::vector<WordTiming> find_alignment(DecoderModel& model,
                                                     const Tokenizer& tokenizer,
                                                     std::span<const int> sot_sequence,
                                                     std::span<const int> text_tokens,
                                                     std::string_view language, int num_frames);

/// Joins opening punctuation (any of `prepended`, after a space) to the following word and closing
/// punctuation (any of `appended`) to the previous one; the emptied words stay as "" (timing.py:
/// merge_punctuations).
void merge_punctuations(std::vector<WordTiming>& alignment, std::string_view prepended,
                        std::string_view appended);

}  // namespace whisper_s4y
