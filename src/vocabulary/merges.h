// The merges of byte pair encoding.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "config/model_info.h"

namespace whisper_s4y {

/// The merges behind a vocabulary, first to last: tokenizers that know tokens by rank do not keep
/// them. Throws Error when a token is not the merge of two others.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> recover_merges(
    const Vocabulary& vocabulary);

}  // namespace whisper_s4y
