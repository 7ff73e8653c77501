#include "vocabulary/byte_alphabet.h"

namespace whisper_s4y {
namespace {

constexpr bool is_printable(int byte) {
  return (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
}

// openai/gpt-2 encoder.py bytes_to_unicode: printable bytes stand for themselves, the other 68
// for U+0100 and the following.
struct Alphabet {
  std::array<uint16_t, 256> character{};
  std::array<int16_t, 0x100 + 68> byte{};
  std::array<uint8_t, 256> rank{};
};

constexpr Alphabet make_alphabet() {
  Alphabet alphabet;
  alphabet.byte.fill(-1);
  int printable = 0;
  int other = 0;
  for (int byte = 0; byte < 256; ++byte) printable += is_printable(byte);
  const int first_other_rank = printable;
  printable = 0;
  for (int byte = 0; byte < 256; ++byte) {
    const auto at = static_cast<size_t>(byte);
    const int character = is_printable(byte) ? byte : 0x100 + other;
    alphabet.rank[at] =
        static_cast<uint8_t>(is_printable(byte) ? printable++ : first_other_rank + other++);
    alphabet.character[at] = static_cast<uint16_t>(character);
    alphabet.byte[static_cast<size_t>(character)] = static_cast<int16_t>(byte);
  }
  return alphabet;
}
constexpr Alphabet kAlphabet = make_alphabet();

}  // namespace

bool decode_byte_alphabet(std::string_view text, std::string& bytes) {
  bytes.resize(text.size());
  size_t length = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    auto character = static_cast<size_t>(static_cast<uint8_t>(text[i]));
    if (character >= 0x80) {
      // All characters are below U+0144: two bytes of UTF-8.
      if ((character & 0xE0U) != 0xC0U || i + 1 == text.size()) return false;
      const auto next = static_cast<size_t>(static_cast<uint8_t>(text[++i]));
      if ((next & 0xC0U) != 0x80U) return false;
      character = (character & 0x1FU) << 6 | (next & 0x3FU);
    }
    if (character >= kAlphabet.byte.size() || kAlphabet.byte[character] < 0) return false;
    bytes[length++] = static_cast<char>(kAlphabet.byte[character]);
  }
  bytes.resize(length);
  return true;
}

std::string encode_byte_alphabet(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const unsigned character = kAlphabet.character[static_cast<uint8_t>(c)];
    if (character < 0x80) {
      text += static_cast<char>(character);
    } else {
      text += static_cast<char>(0xC0U | character >> 6);
      text += static_cast<char>(0x80U | (character & 0x3FU));
    }
  }
  return text;
}

int byte_rank(uint8_t byte) { return kAlphabet.rank[byte]; }

}  // namespace whisper_s4y
