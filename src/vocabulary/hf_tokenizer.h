// The vocabulary from the tokenizer files of Hugging Face.
#pragma once

#include <filesystem>

#include "checkpoint/warnings.h"
#include "config/model_info.h"

namespace whisper_s4y {

/// Reads vocab.json, merges.txt and added_tokens.json when all three are there, else
/// tokenizer.json, else the first two alone, else takes the built-in vocabulary for a model of that
/// size. A file that cannot be read gives way to the next with a warning. vocab_size is the number
/// of rows of the token embedding; ids without a name stay empty, but for special tokens of a
/// published model, which are added with a warning. `source` is the name of the checkpoint in
/// messages. Throws Error when no vocabulary can be had.
[[nodiscard]] Vocabulary read_hf_vocabulary(const std::filesystem::path& folder, int vocab_size,
                                            const std::filesystem::path& source,
                                            Warnings& warnings);

/// The same, with CTranslate2's own files after those of Hugging Face: vocabulary.json or
/// vocabulary.txt, one token per id in the byte alphabet, special tokens as they are.
[[nodiscard]] Vocabulary read_ctranslate2_vocabulary(const std::filesystem::path& folder,
                                                     int vocab_size, Warnings& warnings);

}  // namespace whisper_s4y
