// How repetitive a text is.
#pragma once

#include <string_view>

namespace whisper_s4y {

/// Bytes of `text` / bytes of its zlib form at the default level (openai/whisper utils.py); 0 for
/// an empty text. Above 2.4 a text is taken for a repetition loop.
[[nodiscard]] float compression_ratio(std::string_view text);

}  // namespace whisper_s4y
