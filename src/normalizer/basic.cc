#include <algorithm>
#include <array>

#include "common/utf8.h"
#include "normalizer/text_cleaning.h"
#include "normalizer/unicode.h"
#include "whisper_s4y/evaluate.h"

namespace whisper_s4y {
namespace {

constexpr std::array<std::string_view, 6> kWithoutSpaces = {"zh", "ja", "th", "lo", "my", "yue"};

}  // namespace

std::string normalize_basic(std::string_view text, const BasicOptions& options) {
  std::u32string codes = without_groups(lowered(code_points(text)));
  codes = lowered(options.remove_diacritics ? without_symbols_and_diacritics(codes)
                                            : without_symbols(codes));
  if (options.split_letters) {
    std::u32string spaced;
    for (const std::u32string& grapheme : graphemes(codes)) {
      if (!spaced.empty()) spaced += U' ';
      spaced += grapheme;
    }
    codes = std::move(spaced);
  }
  return to_utf8(with_single_spaces(codes));
}

std::string normalize(std::string_view text, std::string_view language) {
  if (language == "en") return normalize_english(text);
  const bool split =
      std::find(kWithoutSpaces.begin(), kWithoutSpaces.end(), language) != kWithoutSpaces.end();
  return normalize_basic(text, {.split_letters = split});
}

}  // namespace whisper_s4y
