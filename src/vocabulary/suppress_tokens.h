// The tokens a model does not sample unless it says otherwise.
#pragma once

#include <vector>

#include "config/model_info.h"

namespace whisper_s4y {

/// What openai/whisper suppresses by default: the tokens of sounds (Tokenizer::non_speech_tokens)
/// and the special tokens that are never sampled (decoding.py: _get_suppress_tokens). Ascending
/// ids.
[[nodiscard]] std::vector<int> default_suppress_tokens(const GenerationConfig& generation,
                                                       const Vocabulary& vocabulary);

/// " " and <|endoftext|>, not sampled first (decoding.py: SuppressBlank). Ascending ids.
[[nodiscard]] std::vector<int> default_begin_suppress_tokens(const GenerationConfig& generation,
                                                             const Vocabulary& vocabulary);

}  // namespace whisper_s4y
