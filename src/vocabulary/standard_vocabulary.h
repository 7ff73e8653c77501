// The two vocabularies of openai/whisper, for checkpoints that come without one.
#pragma once

#include <string_view>

#include "config/front_end.h"
#include "config/model_info.h"

namespace whisper_s4y {

/// The vocabulary of a published model: GPT-2's for English-only models (vocab_size 51864), the
/// multilingual one for 51865 (99 languages) and 51866 (100 languages). Throws Error for other
/// sizes, naming `source`.
[[nodiscard]] Vocabulary standard_vocabulary(int vocab_size, std::string_view source);

/// Whether there is one for so many tokens.
[[nodiscard]] bool has_standard_vocabulary(int vocab_size);

/// Names the ids from `first` on as openai/whisper tokenizer.py: get_encoding does: end of text,
/// start, languages, tasks, marks and kTimestampTokens timestamps. The number of languages follows
/// from the size of the vocabulary; Error when that is not 1 to 100.
void name_special_tokens(Vocabulary& vocabulary, size_t first, std::string_view source);

}  // namespace whisper_s4y
