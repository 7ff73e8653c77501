#include "normalizer/unicode.h"

#include <utf8proc.h>

#include <cstdlib>
#include <memory>
#include <new>

#include "common/fail.h"
#include "common/utf8.h"

namespace whisper_s4y {
namespace {

utf8proc_category_t category(char32_t code) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(code));
}

bool is_cased(char32_t code) {
  const auto kind = category(code);
  return kind == UTF8PROC_CATEGORY_LU || kind == UTF8PROC_CATEGORY_LL ||
         kind == UTF8PROC_CATEGORY_LT;
}

// Characters that do not count when looking for the end of a word.
bool is_case_ignorable(char32_t code) {
  switch (category(code)) {
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_SK:
      return true;
    default:
      return code == '\'' || code == '.' || code == ':' || code == 0xB7 || code == 0x2018 ||
             code == 0x2019 || code == 0x2024 || code == 0x2027;
  }
}

// A sigma at the end of a word has a small form of its own.
bool is_final_sigma(std::u32string_view text, size_t at) {
  size_t before = at;
  while (before > 0 && is_case_ignorable(text[before - 1])) --before;
  if (before == 0 || !is_cased(text[before - 1])) return false;
  size_t after = at + 1;
  while (after < text.size() && is_case_ignorable(text[after])) ++after;
  return after == text.size() || !is_cased(text[after]);
}

}  // namespace

char category_group(char32_t code) {
  return utf8proc_category_string(static_cast<utf8proc_int32_t>(code))[0];
}

bool is_nonspacing_mark(char32_t code) { return category(code) == UTF8PROC_CATEGORY_MN; }

bool is_word_character(char32_t code) {
  const char group = category_group(code);
  return code == '_' || group == 'L' || group == 'N';
}

bool is_python_space(char32_t code) {
  return is_white_space(code) || (code >= 0x1C && code <= 0x1F);
}

std::optional<int> digit_value(char32_t code) {
  if (category(code) != UTF8PROC_CATEGORY_ND) return std::nullopt;
  // The digits of a script follow each other, and so may those of two scripts.
  int before = 0;
  while (category(code - static_cast<char32_t>(before) - 1) == UTF8PROC_CATEGORY_ND) ++before;
  return before % 10;
}

std::u32string lowered(std::u32string_view text) {
  std::u32string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == 0x130) {  // I with dot: the one letter that becomes two
      out += U"i\u0307";
    } else if (text[i] == 0x3A3) {
      out += is_final_sigma(text, i) ? char32_t{0x3C2} : char32_t{0x3C3};
    } else {
      out += static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(text[i])));
    }
  }
  return out;
}

std::u32string normal_form(std::u32string_view text, NormalForm form) {
  const std::string utf8 = to_utf8(text);
  auto options = static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPAT);
  options = static_cast<utf8proc_option_t>(
      options | (form == NormalForm::nfkc ? UTF8PROC_COMPOSE : UTF8PROC_DECOMPOSE));
  utf8proc_uint8_t* result = nullptr;
  const utf8proc_ssize_t size =
      utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(utf8.data()),
                   static_cast<utf8proc_ssize_t>(utf8.size()), &result, options);
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(result, &std::free);
  if (size == UTF8PROC_ERROR_NOMEM) throw std::bad_alloc();
  if (size < 0) fail(ErrorCode::internal, "Cannot normalise a text: {}.", utf8proc_errmsg(size));
  return code_points({reinterpret_cast<const char*>(result), static_cast<size_t>(size)});
}

std::vector<std::u32string> graphemes(std::u32string_view text) {
  std::vector<std::u32string> out;
  utf8proc_int32_t state = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool begins =
        i == 0 || utf8proc_grapheme_break_stateful(static_cast<utf8proc_int32_t>(text[i - 1]),
                                                   static_cast<utf8proc_int32_t>(text[i]), &state);
    if (begins) out.emplace_back();
    out.back() += text[i];
  }
  return out;
}

std::vector<std::string> split_words(std::u32string_view text) {
  std::vector<std::string> words;
  bool inside = false;
  for (const char32_t code : text) {
    const bool space = is_python_space(code);
    if (!space && !inside) words.emplace_back();
    if (!space) append_utf8(words.back(), code);
    inside = !space;
  }
  return words;
}

std::string to_utf8(std::u32string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char32_t code : text) append_utf8(out, code);
  return out;
}

}  // namespace whisper_s4y
