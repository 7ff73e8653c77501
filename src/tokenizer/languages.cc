#include "tokenizer/languages.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "common/ascii.h"
#include "common/fail.h"
#include "common/utf8.h"

namespace whisper_s4y {
namespace {

// openai/whisper tokenizer.py: LANGUAGES.
constexpr auto kLanguages =
    std::to_array<Language>({{"en", "english"},     {"zh", "chinese"},    {"de", "german"},
                             {"es", "spanish"},     {"ru", "russian"},    {"ko", "korean"},
                             {"fr", "french"},      {"ja", "japanese"},   {"pt", "portuguese"},
                             {"tr", "turkish"},     {"pl", "polish"},     {"ca", "catalan"},
                             {"nl", "dutch"},       {"ar", "arabic"},     {"sv", "swedish"},
                             {"it", "italian"},     {"id", "indonesian"}, {"hi", "hindi"},
                             {"fi", "finnish"},     {"vi", "vietnamese"}, {"he", "hebrew"},
                             {"uk", "ukrainian"},   {"el", "greek"},      {"ms", "malay"},
                             {"cs", "czech"},       {"ro", "romanian"},   {"da", "danish"},
                             {"hu", "hungarian"},   {"ta", "tamil"},      {"no", "norwegian"},
                             {"th", "thai"},        {"ur", "urdu"},       {"hr", "croatian"},
                             {"bg", "bulgarian"},   {"lt", "lithuanian"}, {"la", "latin"},
                             {"mi", "maori"},       {"ml", "malayalam"},  {"cy", "welsh"},
                             {"sk", "slovak"},      {"te", "telugu"},     {"fa", "persian"},
                             {"lv", "latvian"},     {"bn", "bengali"},    {"sr", "serbian"},
                             {"az", "azerbaijani"}, {"sl", "slovenian"},  {"kn", "kannada"},
                             {"et", "estonian"},    {"mk", "macedonian"}, {"br", "breton"},
                             {"eu", "basque"},      {"is", "icelandic"},  {"hy", "armenian"},
                             {"ne", "nepali"},      {"mn", "mongolian"},  {"bs", "bosnian"},
                             {"kk", "kazakh"},      {"sq", "albanian"},   {"sw", "swahili"},
                             {"gl", "galician"},    {"mr", "marathi"},    {"pa", "punjabi"},
                             {"si", "sinhala"},     {"km", "khmer"},      {"sn", "shona"},
                             {"yo", "yoruba"},      {"so", "somali"},     {"af", "afrikaans"},
                             {"oc", "occitan"},     {"ka", "georgian"},   {"be", "belarusian"},
                             {"tg", "tajik"},       {"sd", "sindhi"},     {"gu", "gujarati"},
                             {"am", "amharic"},     {"yi", "yiddish"},    {"lo", "lao"},
                             {"uz", "uzbek"},       {"fo", "faroese"},    {"ht", "haitian creole"},
                             {"ps", "pashto"},      {"tk", "turkmen"},    {"nn", "nynorsk"},
                             {"mt", "maltese"},     {"sa", "sanskrit"},   {"lb", "luxembourgish"},
                             {"my", "myanmar"},     {"bo", "tibetan"},    {"tl", "tagalog"},
                             {"mg", "malagasy"},    {"as", "assamese"},   {"tt", "tatar"},
                             {"haw", "hawaiian"},   {"ln", "lingala"},    {"ha", "hausa"},
                             {"ba", "bashkir"},     {"jw", "javanese"},   {"su", "sundanese"},
                             {"yue", "cantonese"}});
static_assert(kLanguages.size() == 100);

// tokenizer.py: TO_LANGUAGE_CODE, and older and newer codes of two languages.
constexpr auto kAliases = std::to_array<Language>({{"my", "burmese"},
                                                   {"es", "castilian"},
                                                   {"nl", "flemish"},
                                                   {"ht", "haitian"},
                                                   {"lb", "letzeburgesch"},
                                                   {"zh", "mandarin"},
                                                   {"ro", "moldavian"},
                                                   {"ro", "moldovan"},
                                                   {"pa", "panjabi"},
                                                   {"ps", "pushto"},
                                                   {"si", "sinhalese"},
                                                   {"ca", "valencian"},
                                                   {"he", "iw"},
                                                   {"jw", "jv"}});

// Single-letter changes that make one word of the other (Levenshtein).
size_t distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t changed = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({changed, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

// "german (de)" for every language whose name, other name or code is close to `wanted`.
std::vector<std::string> near_choices(std::string_view wanted) {
  std::vector<std::string> choices;
  const auto consider = [&](const Language& language) {
    const size_t tolerance = wanted.size() < 6 ? 1 : 2;
    const bool near = distance(wanted, language.name) <= tolerance ||
                      (wanted.size() >= 3 && language.name.starts_with(wanted)) ||
                      (wanted.size() <= 3 && distance(wanted, language.code) <= 1);
    if (near) choices.push_back(fmt::format("{} ({})", language.name, language.code));
  };
  for (const Language& language : kLanguages) consider(language);
  for (const Language& language : kAliases) {
    if (language.name.size() > 2) consider(language);
  }
  return choices;
}

}  // namespace

std::span<const Language> languages() { return kLanguages; }

std::string_view language_code(std::string_view name_or_code) {
  const std::string wanted = lower_case(trimmed(name_or_code));
  // The language of a tag such as zh-Hans-CN or en_US stands before the first separator.
  const std::string_view primary = std::string_view(wanted).substr(0, wanted.find_first_of("-_"));
  for (const Language& language : kLanguages) {
    if (wanted == language.name || primary == language.code) return language.code;
  }
  for (const Language& alias : kAliases) {
    if (wanted == alias.name || (alias.name.size() == 2 && primary == alias.name)) {
      return alias.code;
    }
  }
  const auto choices = near_choices(wanted);
  if (choices.empty()) {
    fail(ErrorCode::invalid_argument,
         "\"{}\" is not a language Whisper knows; give a code such as en, de or zh, or an English "
         "name.",
         name_or_code);
  }
  fail(ErrorCode::invalid_argument, "\"{}\" is not a language Whisper knows; near choices: {}.",
       name_or_code, fmt::join(choices, ", "));
}

std::string_view language_name(std::string_view code) {
  const auto* found = std::find_if(kLanguages.begin(), kLanguages.end(),
                                   [&](const Language& language) { return language.code == code; });
  return found == kLanguages.end() ? std::string_view() : found->name;
}

}  // namespace whisper_s4y
