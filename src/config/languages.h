// The languages Whisper was trained on.
#pragma once

#include <span>
#include <string_view>

namespace whisper_s4y {

/// The codes of the 100 languages in the order of their tokens (openai/whisper tokenizer.py:
/// LANGUAGES). Models before large-v3 have the first 99.
[[nodiscard]] std::span<const std::string_view> language_codes();

}  // namespace whisper_s4y
