// Fills what a checkpoint does not say about decoding from its vocabulary and dimensions.
#pragma once

#include <filesystem>
#include <optional>

#include "checkpoint/warnings.h"
#include "config/model_info.h"

namespace whisper_s4y {

/// Forgets ids in info.generation that the vocabulary contradicts, as those of another version of
/// Whisper do, with a warning: complete_generation() then takes the vocabulary's. `folder` is where
/// the files with these ids are.
void forget_wrong_ids(ModelInfo& info, const std::filesystem::path& folder, Warnings& warnings);

/// Completes info.generation and info.vocabulary and sets info.name. Ids that are -1 and lists
/// that are empty count as missing. `path` is the checkpoint's, for the name.
/// - special ids come from the names of the tokens; unnamed ids after <|notimestamps|> become the
///   timestamps <|0.00|> to <|30.00|>;
/// - suppress_tokens by the rule of openai/whisper (tokenizer.py: non_speech_tokens, decoding.py:
///   _get_suppress_tokens), begin_suppress_tokens = " " and <|endoftext|>;
/// - alignment_heads from the table of the published models, else the upper half of the layers.
void complete_generation(ModelInfo& info, std::optional<bool> is_multilingual,
                         const std::filesystem::path& path);

}  // namespace whisper_s4y
