#include "normalizer/number_words.h"

#include <array>
#include <unordered_map>
#include <utility>

namespace whisper_s4y {
namespace {

using enum NumberWordKind;
using Words = std::unordered_map<std::string, NumberWord>;

constexpr auto kOnes = std::to_array<std::string_view>(
    {"one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
     "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"});
constexpr auto kTens = std::to_array<std::string_view>(
    {"twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"});
constexpr auto kMultipliers = std::to_array<std::pair<std::string_view, int>>({{"hundred", 2},
                                                                               {"thousand", 3},
                                                                               {"million", 6},
                                                                               {"billion", 9},
                                                                               {"trillion", 12},
                                                                               {"quadrillion", 15},
                                                                               {"quintillion", 18},
                                                                               {"sextillion", 21},
                                                                               {"septillion", 24},
                                                                               {"octillion", 27},
                                                                               {"nonillion", 30},
                                                                               {"decillion", 33}});

Words make_words() {
  Words words;
  for (const char* zero_word : {"o", "oh", "zero"}) words[zero_word] = {zero};
  for (size_t i = 0; i < kOnes.size(); ++i) {
    const std::string name(kOnes[i]);
    const int value = static_cast<int>(i) + 1;
    words[name] = {one, value};
    words[name == "six" ? "sixes" : name + "s"] = {one_suffixed, value, "s"};
    // As in the reference "nineth", so that "ninth" stays a word.
    if (value > 3 && value != 5 && value != 12) {
      words[name + (name.ends_with('t') ? "h" : "th")] = {one_suffixed, value, "th"};
    }
  }
  words["zeroth"] = {one_suffixed, 0, "th"};
  words["first"] = {one_suffixed, 1, "st"};
  words["second"] = {one_suffixed, 2, "nd"};
  words["third"] = {one_suffixed, 3, "rd"};
  words["fifth"] = {one_suffixed, 5, "th"};
  words["twelfth"] = {one_suffixed, 12, "th"};
  for (size_t i = 0; i < kTens.size(); ++i) {
    const int value = 20 + 10 * static_cast<int>(i);
    const std::string stem(kTens[i].substr(0, kTens[i].size() - 1));
    words[std::string(kTens[i])] = {ten, value};
    words[stem + "ies"] = {ten_suffixed, value, "s"};
    words[stem + "ieth"] = {ten_suffixed, value, "th"};
  }
  for (const auto& [name, zeros] : kMultipliers) {
    words[std::string(name)] = {multiplier, zeros};
    words[std::string(name) + "s"] = {multiplier_suffixed, zeros, "s"};
    words[std::string(name) + "th"] = {multiplier_suffixed, zeros, "th"};
  }
  for (const char* minus : {"minus", "negative"}) words[minus] = {sign, 0, "-"};
  for (const char* plus : {"plus", "positive"}) words[plus] = {sign, 0, "+"};
  for (const char* pound : {"pound", "pounds"}) words[pound] = {currency, 0, "£"};
  for (const char* euro : {"euro", "euros"}) words[euro] = {currency, 0, "€"};
  for (const char* dollar : {"dollar", "dollars"}) words[dollar] = {currency, 0, "$"};
  for (const char* cent : {"cent", "cents"}) words[cent] = {currency, 0, "¢"};
  words["percent"] = {percent, 0, "%"};
  words["per"] = {per, 0, "%"};
  for (const char* word : {"and", "double", "triple", "point"}) words[word] = {special};
  return words;
}

}  // namespace

const NumberWord* find_number_word(std::string_view word) {
  static const Words words = make_words();
  const auto found = words.find(std::string(word));
  return found == words.end() ? nullptr : &found->second;
}

}  // namespace whisper_s4y
