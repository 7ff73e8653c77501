// The vocabulary as text, the form kept in the .tflite metadata.
#include <array>
#include <charconv>
#include <cstdint>

#include "common/fail.h"
#include "config/model_info.h"

namespace whisper_s4y {
namespace {

constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kSpecial = "special";
constexpr size_t kMaxTokens = 1 << 20;

constexpr std::array<int8_t, 256> make_base64_values() {
  std::array<int8_t, 256> values{};
  values.fill(-1);
  for (size_t i = 0; i < kBase64.size(); ++i) {
    values[static_cast<uint8_t>(kBase64[i])] = static_cast<int8_t>(i);
  }
  return values;
}
constexpr std::array<int8_t, 256> kBase64Values = make_base64_values();

void append_base64(std::string& out, std::string_view bytes) {
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t count = std::min<size_t>(3, bytes.size() - i);
    uint32_t group = 0;
    for (size_t k = 0; k < 3; ++k) {
      group = group << 8 | (k < count ? static_cast<uint8_t>(bytes[i + k]) : 0U);
    }
    for (size_t k = 0; k < 4; ++k) {
      out += k <= count ? kBase64[group >> (18 - 6 * k) & 63U] : '=';
    }
  }
}

// False when `text` is not base64 with padding. A lone "=" stands for no bytes, as in
// openai/whisper assets/multilingual.tiktoken.
bool decode_base64(std::string_view text, std::string& bytes) {
  bytes.clear();
  if (text == "=") return true;
  if (text.empty() || text.size() % 4 != 0) return false;
  for (size_t i = 0; i < text.size(); i += 4) {
    uint32_t group = 0;
    size_t padding = 0;
    for (size_t k = 0; k < 4; ++k) {
      const char c = text[i + k];
      const int8_t value = kBase64Values[static_cast<uint8_t>(c)];
      const bool pad = c == '=' && k >= 2 && i + 4 == text.size();
      if (pad ? k == 2 && text[i + 3] != '=' : (value < 0 || padding > 0)) return false;
      padding += pad;
      group = group << 6 | (pad ? 0U : static_cast<uint32_t>(value));
    }
    for (size_t k = 0; k + padding < 3; ++k) {
      bytes += static_cast<char>(group >> (16 - 8 * k) & 0xFFU);
    }
  }
  return true;
}

}  // namespace

std::string to_text(const Vocabulary& vocabulary) {
  std::string text;
  text.reserve(vocabulary.tokens.size() * 20);
  for (size_t id = 0; id < vocabulary.tokens.size(); ++id) {
    if (vocabulary.tokens[id].empty()) {
      text += '=';
    } else {
      append_base64(text, vocabulary.tokens[id]);
    }
    text += ' ';
    if (vocabulary.special[id] != 0) {
      text += kSpecial;
    } else {
      text += std::to_string(vocabulary.ranks[id]);
    }
    text += '\n';
  }
  return text;
}

Vocabulary vocabulary_from_text(std::string_view text, std::string_view source) {
  Vocabulary vocabulary;
  std::string token;
  while (!text.empty()) {
    const size_t line = vocabulary.tokens.size() + 1;
    if (line > kMaxTokens) fail("{}: the vocabulary has more than {} lines.", source, kMaxTokens);
    const size_t end = text.find('\n');
    if (end == std::string_view::npos) {
      fail("{}: line {} of the vocabulary is cut off.", source, line);
    }
    const std::string_view content = text.substr(0, end);
    text.remove_prefix(end + 1);
    const size_t space = content.find(' ');
    if (space == std::string_view::npos || !decode_base64(content.substr(0, space), token)) {
      fail("{}: line {} of the vocabulary is not \"base64 rank\".", source, line);
    }
    const std::string_view rank_text = content.substr(space + 1);
    const bool special = rank_text == kSpecial;
    int32_t rank = -1;
    if (!special) {
      const char* last = rank_text.data() + rank_text.size();
      const auto [parsed, error] = std::from_chars(rank_text.data(), last, rank);
      if (error != std::errc() || parsed != last || rank < -1) {
        fail("{}: line {} of the vocabulary has the rank \"{}\", expected a number or \"{}\".",
             source, line, rank_text, kSpecial);
      }
    }
    vocabulary.tokens.push_back(token);
    vocabulary.special.push_back(special ? 1 : 0);
    vocabulary.ranks.push_back(rank);
  }
  return vocabulary;
}

}  // namespace whisper_s4y
