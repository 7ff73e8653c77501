#include <array>
#include <functional>

#include "common/utf8.h"
#include "normalizer/numbers.h"
#include "normalizer/spellings.h"
#include "normalizer/text_cleaning.h"
#include "normalizer/unicode.h"
#include "whisper_s4y/evaluate.h"

namespace whisper_s4y {
namespace {

using Text = std::u32string;
using View = std::u32string_view;

constexpr auto kIgnored = std::to_array<View>({U"hmm", U"mm", U"mhm", U"mmm", U"uh", U"um"});

struct Expansion {
  View from;
  View to;
};

// english.py: EnglishTextNormalizer.replacers, in this order. Those with an apostrophe in front are
// ends of words.
constexpr auto kExpansions = std::to_array<Expansion>({
    // common contractions
    {U"won't", U"will not"},
    {U"can't", U"can not"},
    {U"let's", U"let us"},
    {U"ain't", U"aint"},
    {U"y'all", U"you all"},
    {U"wanna", U"want to"},
    {U"gotta", U"got to"},
    {U"gonna", U"going to"},
    {U"i'ma", U"i am going to"},
    {U"imma", U"i am going to"},
    {U"woulda", U"would have"},
    {U"coulda", U"could have"},
    {U"shoulda", U"should have"},
    {U"ma'am", U"madam"},
    // titles
    {U"mr", U"mister "},
    {U"mrs", U"missus "},
    {U"st", U"saint "},
    {U"dr", U"doctor "},
    {U"prof", U"professor "},
    {U"capt", U"captain "},
    {U"gov", U"governor "},
    {U"ald", U"alderman "},
    {U"gen", U"general "},
    {U"sen", U"senator "},
    {U"rep", U"representative "},
    {U"pres", U"president "},
    {U"rev", U"reverend "},
    {U"hon", U"honorable "},
    {U"asst", U"assistant "},
    {U"assoc", U"associate "},
    {U"lt", U"lieutenant "},
    {U"col", U"colonel "},
    {U"jr", U"junior "},
    {U"sr", U"senior "},
    {U"esq", U"esquire "},
    // perfect tenses
    {U"'d been", U" had been"},
    {U"'s been", U" has been"},
    {U"'d gone", U" had gone"},
    {U"'s gone", U" has gone"},
    {U"'d done", U" had done"},
    {U"'s got", U" has got"},
    // general contractions; "n't" may follow letters
    {U"n't", U" not"},
    {U"'re", U" are"},
    {U"'s", U" is"},
    {U"'d", U" would"},
    {U"'ll", U" will"},
    {U"'t", U" not"},
    {U"'ve", U" have"},
    {U"'m", U" am"},
});

bool is_ascii_digit(char32_t code) { return code >= U'0' && code <= U'9'; }

// Whether `word` stands at `at` and ends there as a word.
bool stands_at(View text, size_t at, View word) {
  const size_t end = at + word.size();
  return text.substr(at, word.size()) == word &&
         (end == text.size() || !is_word_character(text[end]));
}

bool word_begins(View text, size_t at) { return at == 0 || !is_word_character(text[at - 1]); }

Text without_fillers(View text) {
  Text out;
  for (size_t at = 0; at < text.size();) {
    size_t size = 0;
    if (word_begins(text, at)) {
      for (const View word : kIgnored) {
        if (stands_at(text, at, word)) size = word.size();
      }
    }
    if (size == 0) out += text[at];
    at += size == 0 ? 1 : size;
  }
  return out;
}

Text without_space_before_apostrophes(View text) {
  Text out;
  for (const char32_t code : text) {
    if (code == U'\'') {
      while (!out.empty() && is_python_space(out.back())) out.pop_back();
    }
    out += code;
  }
  return out;
}

Text expanded(View text, const Expansion& expansion) {
  const bool end_of_word = expansion.from[0] == U'\'' || expansion.from == U"n't";
  Text out;
  size_t at = 0;
  for (;;) {
    const size_t found = text.find(expansion.from, at);
    if (found == View::npos) break;
    const bool applies =
        (end_of_word || word_begins(text, found)) && stands_at(text, found, expansion.from);
    out += text.substr(at, found - at);
    if (applies) out += expansion.to;
    if (!applies) out += text[found];
    at = found + (applies ? expansion.from.size() : 1);
  }
  out += text.substr(at);
  return out;
}

// Pairs and triples of characters are consumed as a regular expression does: the last character of
// one match does not begin the next.
Text without_commas_in_numbers(View text) {
  Text out;
  for (size_t at = 0; at < text.size(); ++at) {
    out += text[at];
    if (at + 2 < text.size() && text[at + 1] == U',' && digit_value(text[at]) &&
        digit_value(text[at + 2])) {
      out += text[at + 2];
      at += 2;
    }
  }
  return out;
}

Text without_full_stops(View text) {
  Text out;
  for (size_t at = 0; at < text.size(); ++at) {
    const bool last = at + 1 == text.size();
    if (text[at] == U'.' && (last || !is_ascii_digit(text[at + 1]))) {
      out += U' ';
      if (!last) out += text[++at];
    } else {
      out += text[at];
    }
  }
  return out;
}

Text without_loose_number_signs(View text) {
  Text out;
  for (size_t at = 0; at < text.size(); ++at) {
    const bool sign = View(U".$¢€£").find(text[at]) != View::npos;
    if (sign && at + 1 < text.size() && !is_ascii_digit(text[at + 1])) {
      out += U' ';
      out += text[++at];
    } else {
      out += text[at];
    }
  }
  Text result;
  for (size_t at = 0; at < out.size(); ++at) {
    result += out[at];
    if (!is_ascii_digit(out[at]) && at + 1 < out.size() && out[at + 1] == U'%') {
      result += U' ';
      ++at;
    }
  }
  return result;
}

std::string with_american_spelling(View text) {
  std::string out;
  for (const std::string& word : split_words(text)) {
    if (!out.empty()) out += ' ';
    out += american_spelling(word);
  }
  return out;
}

}  // namespace

std::string normalize_english(std::string_view text) {
  Text codes = without_groups(lowered(code_points(text)));
  codes = without_space_before_apostrophes(without_fillers(codes));
  for (const Expansion& expansion : kExpansions) codes = expanded(codes, expansion);
  codes = without_full_stops(without_commas_in_numbers(codes));
  codes = without_symbols_and_diacritics(codes, U".%$¢€£");
  codes = code_points(with_american_spelling(numbers_in_digits(codes)));
  return to_utf8(with_single_spaces(without_loose_number_signs(codes)));
}

}  // namespace whisper_s4y
