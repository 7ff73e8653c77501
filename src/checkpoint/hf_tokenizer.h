// The vocabulary from the tokenizer files of Hugging Face.
#pragma once

#include <filesystem>
#include <optional>

#include "config/model_info.h"

namespace whisper_s4y {

/// Reads vocab.json, merges.txt and added_tokens.json when all three are there, else
/// tokenizer.json, else the first two alone. Nothing when the folder has none of these.
/// vocab_size is the number of rows of the token embedding; ids without a name stay empty.
[[nodiscard]] std::optional<Vocabulary> read_hf_vocabulary(const std::filesystem::path& folder,
                                                           int vocab_size);

/// Reads the CTranslate2 form: one token per id in the byte alphabet, special tokens as they are,
/// from vocabulary.json or vocabulary.txt. Nothing when the folder has neither.
[[nodiscard]] std::optional<Vocabulary> read_ctranslate2_vocabulary(
    const std::filesystem::path& folder, int vocab_size);

}  // namespace whisper_s4y
