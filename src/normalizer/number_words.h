// The words numbers are made of.
#pragma once

#include <string>
#include <string_view>

namespace whisper_s4y {

enum class NumberWordKind {
  zero,                 // o, oh, zero
  one,                  // one to nineteen
  one_suffixed,         // ones, first, fourth, ...
  ten,                  // twenty to ninety
  ten_suffixed,         // twenties, twentieth
  multiplier,           // hundred to decillion
  multiplier_suffixed,  // hundreds, hundredth
  sign,                 // minus, plus: before a number
  currency,             // dollars: after a number
  percent,              // percent
  per,                  // per: percent when cent follows
  special,              // and, double, triple, point
};

struct NumberWord {
  NumberWordKind kind;
  int value = 0;       // of ones and tens; of multipliers the number of zeros
  std::string suffix;  // "s", "th"; of signs and currencies the sign
};

/// Null for a word that is not part of numbers.
[[nodiscard]] const NumberWord* find_number_word(std::string_view word);

}  // namespace whisper_s4y
