#include "transcribe/local_agreement.h"

#include <algorithm>
#include <cstddef>

#include "common/utf8.h"

namespace whisper_s4y {
namespace {

// Thai to Burmese, Khmer, and everything from the CJK radicals to the end of the ideographs.
bool written_without_spaces(char32_t code) {
  return (code >= 0x0E00 && code <= 0x109F) || (code >= 0x1780 && code <= 0x17FF) ||
         (code >= 0x2E80 && code <= 0x9FFF) || (code >= 0x20000 && code <= 0x3FFFF);
}

// Small ASCII letters, without ASCII punctuation and spaces.
std::string plain(std::string_view piece) {
  std::string result;
  for (const char c : piece) {
    const auto byte = static_cast<unsigned char>(c);
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (byte >= 0x80 || letter || (c >= '0' && c <= '9')) {
      result += letter ? static_cast<char>(c | 0x20) : c;
    }
  }
  return result;
}

std::string joined(const std::vector<std::string>& pieces, size_t begin, size_t end) {
  std::string text;
  for (size_t i = begin; i < end; ++i) text += pieces[i];
  return text;
}

}  // namespace

std::vector<std::string> split_pieces(std::string_view text) {
  std::vector<std::string> pieces;
  bool after_space = true;  // the next character goes on with a piece that is only space so far
  bool unspaced = false;    // the last character was of such a script
  while (!text.empty()) {
    const Utf8Character character = first_utf8(text);
    const bool space = is_white_space(character.code);
    const bool begins =
        pieces.empty() || (space && !after_space) ||
        (!after_space && !space && (unspaced || written_without_spaces(character.code)));
    if (begins) pieces.emplace_back();
    pieces.back() += text.substr(0, character.size);
    after_space = space;
    unspaced = written_without_spaces(character.code);
    text.remove_prefix(character.size);
  }
  return pieces;
}

void LocalAgreement::confirm(const std::vector<std::string>& pieces, size_t count) {
  for (; count_ < count; ++count_) confirmed_ += pieces[count_];
  tentative_ = joined(pieces, std::min(count_, pieces.size()), pieces.size());
}

void LocalAgreement::hear(std::string_view hypothesis) {
  std::vector<std::string> pieces = split_pieces(hypothesis);
  size_t same = 0;
  while (same < std::min(pieces.size(), previous_.size()) &&
         plain(pieces[same]) == plain(previous_[same])) {
    ++same;
  }
  confirm(pieces, same);
  previous_ = std::move(pieces);
}

void LocalAgreement::finish(std::string_view hypothesis) {
  const std::vector<std::string> pieces = split_pieces(hypothesis);
  confirm(pieces, pieces.size());
}

}  // namespace whisper_s4y
