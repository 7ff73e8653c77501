#include "common/utf8.h"

#include <fmt/format.h>

#include <cstdint>

namespace whisper_s4y {
namespace {

// What may follow a first byte: how many bytes, and the range of the next one. Table 3-7 of the
// Unicode standard.
struct Lead {
  size_t following;
  uint8_t low;
  uint8_t high;
};

Lead lead_of(uint8_t byte) {
  if (byte >= 0xC2 && byte <= 0xDF) return {1, 0x80, 0xBF};
  if (byte == 0xE0) return {2, 0xA0, 0xBF};
  if (byte == 0xED) return {2, 0x80, 0x9F};  // no surrogates
  if (byte >= 0xE1 && byte <= 0xEF) return {2, 0x80, 0xBF};
  if (byte == 0xF0) return {3, 0x90, 0xBF};
  if (byte >= 0xF1 && byte <= 0xF3) return {3, 0x80, 0xBF};
  if (byte == 0xF4) return {3, 0x80, 0x8F};  // up to U+10FFFF
  return {0, 0, 0};
}

}  // namespace

Utf8Character first_utf8(std::string_view text) {
  const auto first = static_cast<uint8_t>(text[0]);
  if (first < 0x80) return {.code = first, .size = 1, .valid = true};
  Lead lead = lead_of(first);
  if (lead.following == 0) return {};
  char32_t code = first & (0x3FU >> lead.following);
  for (size_t i = 1; i <= lead.following; ++i) {
    if (i == text.size()) return {.size = i, .unfinished = true};
    const auto byte = static_cast<uint8_t>(text[i]);
    if (byte < lead.low || byte > lead.high) return {.size = i};
    code = code << 6 | (byte & 0x3FU);
    lead.low = 0x80;
    lead.high = 0xBF;
  }
  return {.code = code, .size = lead.following + 1, .valid = true};
}

std::string valid_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Utf8Character character = first_utf8(text);
    if (character.valid) {
      out += text.substr(0, character.size);
    } else {
      append_utf8(out, kReplacementCharacter);
    }
    text.remove_prefix(character.size);
  }
  return out;
}

std::u32string code_points(std::string_view text) {
  std::u32string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Utf8Character character = first_utf8(text);
    out += character.code;
    text.remove_prefix(character.size);
  }
  return out;
}

void append_utf8(std::string& out, char32_t code) {
  const auto continuation = [&](int shift) {
    out += static_cast<char>(0x80 | ((code >> shift) & 0x3FU));
  };
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0 | code >> 6);
    continuation(0);
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0 | code >> 12);
    continuation(6);
    continuation(0);
  } else {
    out += static_cast<char>(0xF0 | code >> 18);
    continuation(12);
    continuation(6);
    continuation(0);
  }
}

bool is_white_space(char32_t code) {
  if (code < 0x80) return code == ' ' || (code >= 0x09 && code <= 0x0D);
  return code == 0x85 || code == 0xA0 || code == 0x1680 || (code >= 0x2000 && code <= 0x200A) ||
         code == 0x2028 || code == 0x2029 || code == 0x202F || code == 0x205F || code == 0x3000;
}

std::string_view trimmed(std::string_view text) {
  const auto space = [](char32_t code) {
    return is_white_space(code) || (code >= 0x1C && code <= 0x1F);
  };
  while (!text.empty()) {
    const Utf8Character character = first_utf8(text);
    if (!space(character.code)) break;
    text.remove_prefix(character.size);
  }
  while (!text.empty()) {
    // The last character begins at most three bytes before the end.
    size_t size = 1;
    while (size < 4 && size < text.size() &&
           (static_cast<uint8_t>(text[text.size() - size]) & 0xC0) == 0x80) {
      ++size;
    }
    if (!space(first_utf8(text.substr(text.size() - size)).code)) break;
    text.remove_suffix(size);
  }
  return text;
}

std::string visible(std::string_view text) {
  std::string line;
  for (const char c : valid_utf8(text)) {
    const auto byte = static_cast<unsigned char>(c);
    byte < 0x20 || byte == 0x7F ? line += fmt::format("\\x{:02x}", byte) : line += c;
  }
  return line;
}

}  // namespace whisper_s4y
