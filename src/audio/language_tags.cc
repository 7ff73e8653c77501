#include "audio/language_tags.h"

#include <array>
#include <string>

#include "common/ascii.h"

namespace whisper_s4y {
namespace {

struct Names {
  std::string_view code;           // ISO 639-1
  std::string_view terminology;    // ISO 639-2/T
  std::string_view bibliographic;  // ISO 639-2/B where it differs
  std::string_view english;
};

// The languages of films and broadcasts; others match by the code they are written with.
constexpr auto kLanguages = std::to_array<Names>({
    {"af", "afr", "", "afrikaans"},    {"ar", "ara", "", "arabic"},
    {"az", "aze", "", "azerbaijani"},  {"be", "bel", "", "belarusian"},
    {"bg", "bul", "", "bulgarian"},    {"bn", "ben", "", "bengali"},
    {"bs", "bos", "", "bosnian"},      {"ca", "cat", "", "catalan"},
    {"cs", "ces", "cze", "czech"},     {"cy", "cym", "wel", "welsh"},
    {"da", "dan", "", "danish"},       {"de", "deu", "ger", "german"},
    {"el", "ell", "gre", "greek"},     {"en", "eng", "", "english"},
    {"es", "spa", "", "spanish"},      {"et", "est", "", "estonian"},
    {"eu", "eus", "baq", "basque"},    {"fa", "fas", "per", "persian"},
    {"fi", "fin", "", "finnish"},      {"fr", "fra", "fre", "french"},
    {"gl", "glg", "", "galician"},     {"gu", "guj", "", "gujarati"},
    {"he", "heb", "", "hebrew"},       {"hi", "hin", "", "hindi"},
    {"hr", "hrv", "", "croatian"},     {"hu", "hun", "", "hungarian"},
    {"hy", "hye", "arm", "armenian"},  {"id", "ind", "", "indonesian"},
    {"is", "isl", "ice", "icelandic"}, {"it", "ita", "", "italian"},
    {"ja", "jpn", "", "japanese"},     {"ka", "kat", "geo", "georgian"},
    {"kk", "kaz", "", "kazakh"},       {"kn", "kan", "", "kannada"},
    {"ko", "kor", "", "korean"},       {"la", "lat", "", "latin"},
    {"lt", "lit", "", "lithuanian"},   {"lv", "lav", "", "latvian"},
    {"mi", "mri", "mao", "maori"},     {"mk", "mkd", "mac", "macedonian"},
    {"ml", "mal", "", "malayalam"},    {"mr", "mar", "", "marathi"},
    {"ms", "msa", "may", "malay"},     {"my", "mya", "bur", "myanmar"},
    {"ne", "nep", "", "nepali"},       {"nl", "nld", "dut", "dutch"},
    {"nn", "nno", "", "nynorsk"},      {"no", "nor", "", "norwegian"},
    {"pa", "pan", "", "punjabi"},      {"pl", "pol", "", "polish"},
    {"pt", "por", "", "portuguese"},   {"ro", "ron", "rum", "romanian"},
    {"ru", "rus", "", "russian"},      {"sk", "slk", "slo", "slovak"},
    {"sl", "slv", "", "slovenian"},    {"sq", "sqi", "alb", "albanian"},
    {"sr", "srp", "", "serbian"},      {"sv", "swe", "", "swedish"},
    {"sw", "swa", "", "swahili"},      {"ta", "tam", "", "tamil"},
    {"te", "tel", "", "telugu"},       {"th", "tha", "", "thai"},
    {"tl", "tgl", "", "tagalog"},      {"tr", "tur", "", "turkish"},
    {"uk", "ukr", "", "ukrainian"},    {"ur", "urd", "", "urdu"},
    {"uz", "uzb", "", "uzbek"},        {"vi", "vie", "", "vietnamese"},
    {"zh", "zho", "chi", "chinese"},
});

// "de-AT" -> "de"; the ISO 639-1 code where there is one.
std::string canonical(std::string_view name) {
  std::string lower = lower_case(name.substr(0, name.find_first_of("-_")));
  for (const Names& names : kLanguages) {
    if (lower == names.code || lower == names.terminology || lower == names.bibliographic ||
        lower == names.english) {
      return std::string(names.code);
    }
  }
  return lower;
}

}  // namespace

bool is_same_language(std::string_view left, std::string_view right) {
  return !left.empty() && !right.empty() && canonical(left) == canonical(right);
}

}  // namespace whisper_s4y
