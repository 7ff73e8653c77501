#include "normalizer/text_cleaning.h"

#include <array>
#include <utility>

#include "normalizer/unicode.h"

namespace whisper_s4y {
namespace {

// Letters that NFKD does not take apart; basic.py: ADDITIONAL_DIACRITICS.
constexpr auto kLetters = std::to_array<std::pair<char32_t, std::u32string_view>>({
    {U'œ', U"oe"},
    {U'Œ', U"OE"},
    {U'ø', U"o"},
    {U'Ø', U"O"},
    {U'æ', U"ae"},
    {U'Æ', U"AE"},
    {U'ß', U"ss"},
    {U'ẞ', U"SS"},
    {U'đ', U"d"},
    {U'Đ', U"D"},
    {U'ð', U"d"},
    {U'Ð', U"D"},
    {U'þ', U"th"},
    {U'Þ', U"th"},
    {U'ł', U"l"},
    {U'Ł', U"L"},
});

// Cuts out what begins with one of `open` and ends at the next of `close`.
std::u32string without(std::u32string_view text, std::u32string_view open,
                       std::u32string_view close, size_t least_inside) {
  std::u32string out;
  size_t at = 0;
  while (at < text.size()) {
    const size_t begin = text.find_first_of(open, at);
    if (begin == std::u32string_view::npos) break;
    const size_t end = text.find_first_of(close, begin + 1);
    if (end == std::u32string_view::npos) break;
    out += text.substr(at, begin - at);
    if (end - begin - 1 < least_inside) {
      out += text[begin];
      at = begin + 1;
    } else {
      at = end + 1;
    }
  }
  if (at < text.size()) out += text.substr(at);
  return out;
}

bool is_symbol(char32_t code) {
  const char group = category_group(code);
  return group == 'M' || group == 'S' || group == 'P';
}

}  // namespace

std::u32string without_groups(std::u32string_view text) {
  // "()" stays: in the reference something must be inside.
  return without(without(text, U"<[", U">]", 0), U"(", U")", 1);
}

std::u32string without_symbols(std::u32string_view text) {
  std::u32string out = normal_form(text, NormalForm::nfkc);
  for (char32_t& code : out) {
    if (is_symbol(code)) code = U' ';
  }
  return out;
}

std::u32string without_symbols_and_diacritics(std::u32string_view text, std::u32string_view keep) {
  std::u32string out;
  for (const char32_t code : normal_form(text, NormalForm::nfkd)) {
    if (keep.find(code) != std::u32string_view::npos) {
      out += code;
      continue;
    }
    const auto* letter = kLetters.begin();
    while (letter != kLetters.end() && letter->first != code) ++letter;
    if (letter != kLetters.end()) {
      out += letter->second;
    } else if (!is_nonspacing_mark(code)) {
      out += is_symbol(code) ? U' ' : code;
    }
  }
  return out;
}

std::u32string with_single_spaces(std::u32string_view text) {
  std::u32string out;
  bool space = false;
  for (const char32_t code : text) {
    const bool now = is_python_space(code);
    if (!now) out += code;
    if (now && !space) out += U' ';
    space = now;
  }
  return out;
}

}  // namespace whisper_s4y
