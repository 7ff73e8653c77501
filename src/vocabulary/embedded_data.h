// Files of src/vocabulary/data that are part of the program, see embed_file() in CMakeLists.txt.
#pragma once

#include <span>

namespace whisper_s4y {

[[nodiscard]] std::span<const unsigned char> embedded_gpt2_merges();
[[nodiscard]] std::span<const unsigned char> embedded_multilingual_merges();

}  // namespace whisper_s4y
