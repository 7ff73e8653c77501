// Sees that the text of a window runs in a loop while it is being decoded.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

namespace whisper_s4y {

/// How many of a window's tokens to keep when they end in a loop: those up to the end of its first
/// turn, without a timestamp that would begin the second. Nothing when they do not: the same tokens
/// of text, timestamps left out, follow one another several times and fill the end of the window.
[[nodiscard]] std::optional<size_t> loop_end(std::span<const int> tokens, int timestamp_begin);

}  // namespace whisper_s4y
