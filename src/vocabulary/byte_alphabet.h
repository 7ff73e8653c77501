// GPT-2's printable alphabet: each byte has a character, so that tokens can stand in JSON.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace whisper_s4y {

/// Turns "Ġhello" into " hello". False, with `bytes` undefined, when a character is not one of
/// the alphabet's 256.
[[nodiscard]] bool decode_byte_alphabet(std::string_view text, std::string& bytes);

/// The reverse: bytes as text of the alphabet, UTF-8.
[[nodiscard]] std::string encode_byte_alphabet(std::string_view bytes);

/// Ids of the single bytes in the standard vocabularies: printable bytes come first.
[[nodiscard]] int byte_rank(uint8_t byte);

}  // namespace whisper_s4y
