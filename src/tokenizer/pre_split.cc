#include "tokenizer/pre_split.h"

#include <utf8proc.h>

#include <array>

#include "common/utf8.h"

namespace whisper_s4y {
namespace {

enum class Kind { letter, number, space, symbol };

Kind kind_of(const Utf8Character& character) {
  const char32_t code = character.code;
  if (code < 0x80) {
    if ((code >= 'a' && code <= 'z') || (code >= 'A' && code <= 'Z')) return Kind::letter;
    if (code >= '0' && code <= '9') return Kind::number;
    return is_white_space(code) ? Kind::space : Kind::symbol;
  }
  if (!character.valid) return Kind::symbol;
  if (is_white_space(code)) return Kind::space;
  const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(code));
  if (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO) return Kind::letter;
  if (category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO) return Kind::number;
  return Kind::symbol;
}

constexpr std::array<std::string_view, 7> kContractions = {"'s", "'t",  "'re", "'ve",
                                                           "'m", "'ll", "'d"};

}  // namespace

size_t first_piece(std::string_view text) {
  if (text[0] == '\'') {
    for (const std::string_view contraction : kContractions) {
      if (text.starts_with(contraction)) return contraction.size();
    }
  }
  // One space belongs to what follows it, unless that is white space too.
  size_t end = text[0] == ' ' ? 1 : 0;
  if (end == text.size()) return end;
  const Kind kind = kind_of(first_utf8(text.substr(end)));
  size_t last = end;  // where the last character of the run begins
  while (end < text.size()) {
    const Utf8Character character = first_utf8(text.substr(end));
    if (kind_of(character) != kind) break;
    last = end;
    end += character.size;
  }
  // White space before a word leaves its last character to it.
  if (kind == Kind::space && end < text.size() && last > 0) return last;
  return end;
}

}  // namespace whisper_s4y
