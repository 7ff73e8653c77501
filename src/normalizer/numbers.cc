#include "normalizer/numbers.h"

#include <optional>
#include <utility>

#include "common/utf8.h"
#include "normalizer/decimal.h"
#include "normalizer/number_words.h"
#include "normalizer/unicode.h"

namespace whisper_s4y {
namespace {

using enum NumberWordKind;
using Text = std::u32string;
using View = std::u32string_view;

bool is_number_sign(char32_t code) { return View(U"-+£€$¢").find(code) != View::npos; }

bool is_numeric(const std::string* word) {
  return word != nullptr && read_decimal(*word, true).has_value();
}

/// Walks over the words with the number under way as its state (english.py: process_words).
class NumberJoiner {
 public:
  explicit NumberJoiner(const std::vector<std::string>& words) : words_(words) {}

  std::vector<std::string> run() {
    for (size_t i = 0; i < words_.size(); ++i) {
      previous_ = i > 0 ? find_number_word(words_[i - 1]) : nullptr;
      next_word_ = i + 1 < words_.size() ? &words_[i + 1] : nullptr;
      next_ = next_word_ != nullptr ? find_number_word(*next_word_) : nullptr;
      skip_next_ = false;
      take(words_[i]);
      i += skip_next_;
    }
    flush();
    return std::move(out_);
  }

 private:
  // The number under way: a whole number to calculate with, or digits one after the other.
  struct Value {
    std::string text;
    bool whole;
  };

  void take(const std::string& word) {
    const Text codes = code_points(word);
    const bool signed_number = is_number_sign(codes[0]);
    const std::string digits = signed_number ? to_utf8(View(codes).substr(1)) : word;
    if (const auto decimal = read_decimal(digits, true)) {
      take_digits(word, digits, *decimal,
                  signed_number ? to_utf8(View(codes).substr(0, 1)) : std::string());
      return;
    }
    const NumberWord* number = find_number_word(word);
    if (number == nullptr) {
      flush();
      emit(word);
      return;
    }
    switch (number->kind) {
      case zero:
        value_ = Value{text_so_far() + "0", false};
        break;
      case one:
        value_ = with_one(number->value);
        break;
      case one_suffixed:
        emit(with_one(number->value).text + number->suffix);
        break;
      case ten:
        value_ = with_ten(number->value);
        break;
      case ten_suffixed:
        emit(with_ten(number->value).text + number->suffix);
        break;
      case multiplier:
        multiply(number->value);
        break;
      case multiplier_suffixed:
        multiply_and_end(number->value, number->suffix);
        break;
      case sign:
        flush();
        if (next_can_be_number()) {
          prefix_ = number->suffix;
        } else {
          emit(word);
        }
        break;
      case currency:
        if (value_) prefix_ = number->suffix;
        emit(value_ ? value_->text : word);
        break;
      case percent:
        emit(value_ ? value_->text + number->suffix : word);
        break;
      case per:
        if (value_ && next_word_ != nullptr && *next_word_ == "cent") {
          emit(value_->text + number->suffix);
          skip_next_ = true;
        } else {
          flush();
          emit(word);
        }
        break;
      case special:
        if (!take_special(word)) {
          flush();
          emit(word);
        }
        break;
    }
  }

  void take_digits(const std::string& word, const std::string& digits, const Decimal& decimal,
                   const std::string& sign_text) {
    if (value_) {
      if (!value_->whole && value_->text.ends_with('.')) {
        value_->text += word;
        return;
      }
      flush();
    }
    if (!sign_text.empty()) prefix_ = sign_text;
    if (decimal.fraction.empty()) {
      value_ = Value{decimal.whole, true};
    } else {
      value_ = Value{digits, false};
    }
  }

  // False where the word is no part of a number.
  [[nodiscard]] bool take_special(const std::string& word) {
    if (!next_can_be_number()) return false;
    if (word == "and") return previous_is(multiplier);
    if (word == "point") {
      if ((next_ != nullptr && (next_->kind == zero || next_->kind == one || next_->kind == ten)) ||
          is_numeric(next_word_)) {
        value_ = Value{text_so_far() + ".", false};
      }
      return true;
    }
    if (next_ == nullptr || (next_->kind != one && next_->kind != zero)) return false;
    std::string text = text_so_far();
    for (int i = 0; i < (word == "double" ? 2 : 3); ++i) text += std::to_string(next_->value);
    value_ = Value{text, false};
    skip_next_ = true;
    return true;
  }

  // The number under way continued by 0 to 19.
  [[nodiscard]] Value with_one(int ones) const {
    const std::string digits = std::to_string(ones);
    if (!value_) return {digits, true};
    if (!value_->whole || previous_is(one)) {
      if (previous_is(ten) && ones < 10) {
        return {value_->text.substr(0, value_->text.size() - 1) + digits, false};
      }
      return {value_->text + digits, false};
    }
    return continued(digits, ones < 10 ? 1 : 2);
  }

  // The number under way continued by 20 to 90.
  [[nodiscard]] Value with_ten(int tens) const {
    const std::string digits = std::to_string(tens);
    if (!value_) return {digits, true};
    if (!value_->whole) return {value_->text + digits, false};
    return continued(digits, 2);
  }

  // Added where there are enough zeros at the end, else written behind.
  [[nodiscard]] Value continued(const std::string& digits, size_t zeros) const {
    if (ends_in_zeros(value_->text, zeros)) return {sum(value_->text, digits), true};
    return {value_->text + digits, false};
  }

  void multiply(int zeros) {
    if (!value_) {
      value_ = Value{power_of_ten(zeros), true};
    } else if (!value_->whole) {
      const auto decimal = read_decimal(value_->text, false);
      const auto product = decimal ? shifted(*decimal, zeros) : std::nullopt;
      if (!product) flush();
      value_ = Value{product.value_or(power_of_ten(zeros)), true};
    } else {
      value_ = Value{multiplied_below_thousands(value_->text, zeros), true};
    }
  }

  void multiply_and_end(int zeros, const std::string& suffix) {
    if (!value_) {
      emit(power_of_ten(zeros) + suffix);
    } else if (!value_->whole) {
      const auto decimal = read_decimal(value_->text, false);
      const auto product = decimal ? shifted(*decimal, zeros) : std::nullopt;
      if (!product) flush();
      emit(product.value_or(power_of_ten(zeros)) + suffix);
    } else {
      emit(multiplied_below_thousands(value_->text, zeros) + suffix);
    }
  }

  static std::string power_of_ten(int zeros) {
    return "1" + std::string(static_cast<size_t>(zeros), '0');
  }

  [[nodiscard]] bool previous_is(NumberWordKind kind) const {
    return previous_ != nullptr && previous_->kind == kind;
  }
  [[nodiscard]] bool next_can_be_number() const {
    return next_ != nullptr || is_numeric(next_word_);
  }

  // The digits under way; a zero to calculate with counts as none.
  [[nodiscard]] std::string text_so_far() const {
    return value_ && !(value_->whole && value_->text == "0") ? value_->text : std::string();
  }

  // Ends the number under way with `text`, which takes its sign.
  void emit(const std::string& text) {
    out_.push_back(prefix_.value_or("") + text);
    value_.reset();
    prefix_.reset();
  }

  void flush() {
    if (value_) emit(std::string(value_->text));
  }

  const std::vector<std::string>& words_;
  std::vector<std::string> out_;
  std::optional<Value> value_;
  std::optional<std::string> prefix_;  // sign or currency of the number to come
  const NumberWord* previous_ = nullptr;
  const NumberWord* next_ = nullptr;
  const std::string* next_word_ = nullptr;
  bool skip_next_ = false;
};

bool is_ascii_letter(char32_t code) { return code >= U'a' && code <= U'z'; }
bool is_ascii_digit(char32_t code) { return code >= U'0' && code <= U'9'; }

bool word_ends(View text, size_t at) { return at >= text.size() || !is_word_character(text[at]); }

size_t skip_spaces(View text, size_t at) {
  while (at < text.size() && is_python_space(text[at])) ++at;
  return at;
}

// The end of "and a half" when it stands at `at`, else 0.
size_t and_a_half(View text, size_t at) {
  if (at > 0 && is_word_character(text[at - 1])) return 0;
  bool first = true;
  for (const View word : {View(U"and"), View(U"a"), View(U"half")}) {
    if (!first) {
      const size_t next = skip_spaces(text, at);
      if (next == at) return 0;
      at = next;
    }
    if (text.substr(at, word.size()) != word) return 0;
    at += word.size();
    first = false;
  }
  return word_ends(text, at) ? at : 0;
}

// "three and a half" -> "three point five"
Text with_halves_as_decimals(View text) {
  std::vector<Text> segments(1);
  for (size_t at = 0; at < text.size();) {
    const size_t end = and_a_half(text, at);
    if (end > 0) {
      segments.emplace_back();
      at = end;
    } else {
      segments.back() += text[at++];
    }
  }
  Text out;
  const auto append = [&](View part) {
    if (!out.empty()) out += U' ';
    out += part;
  };
  for (size_t i = 0; i < segments.size(); ++i) {
    const auto words = split_words(segments[i]);
    if (words.empty()) continue;
    append(segments[i]);
    if (i + 1 == segments.size()) break;
    const NumberWord* last = find_number_word(words.back());
    const bool number = last != nullptr && (last->kind == zero || last->kind == one ||
                                            last->kind == ten || last->kind == multiplier);
    append(number ? View(U"point five") : View(U"and a half"));
  }
  return out;
}

// "b747" -> "b 747", but "10 th" -> "10th"
Text with_numbers_apart(View text) {
  Text spaced;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool border = i > 0 && ((is_ascii_letter(text[i - 1]) && is_ascii_digit(text[i])) ||
                                  (is_ascii_digit(text[i - 1]) && is_ascii_letter(text[i])));
    if (border) spaced += U' ';
    spaced += text[i];
  }
  Text out;
  const View view = spaced;
  for (size_t at = 0; at < view.size();) {
    out += view[at++];
    if (!is_ascii_digit(out.back())) continue;
    const size_t next = skip_spaces(view, at);
    if (next == at) continue;
    for (const View suffix : {View(U"st"), View(U"nd"), View(U"rd"), View(U"th"), View(U"s")}) {
      if (view.substr(next, suffix.size()) == suffix && word_ends(view, next + suffix.size())) {
        out += suffix;
        at = next + suffix.size();
        break;
      }
    }
  }
  return out;
}

// The end of the digits at `at`.
size_t skip_digits(View text, size_t at) {
  while (at < text.size() && is_ascii_digit(text[at])) ++at;
  return at;
}

bool is_big_currency(char32_t code) { return code == U'€' || code == U'£' || code == U'$'; }

// One or two digits at `at` that end a word: their end, else 0.
size_t cents_end(View text, size_t at) {
  const size_t end = skip_digits(text, at);
  return end > at && end <= at + 2 && word_ends(text, end) ? end : 0;
}

// "$2 and ¢7" -> "$2.07"
Text with_cents_joined(View text) {
  Text out;
  for (size_t at = 0; at < text.size();) {
    if (is_big_currency(text[at])) {
      const size_t whole_end = skip_digits(text, at + 1);
      size_t next = whole_end;
      if (text.substr(next, 5) == U" and ") {
        next += 5;
      } else if (text.substr(next, 1) == U" ") {
        next += 1;
      }
      const bool cent_sign = whole_end > at + 1 && next > whole_end && text.substr(next, 1) == U"¢";
      const size_t end = cent_sign ? cents_end(text, next + 1) : 0;
      if (end > 0) {
        out += text.substr(at, whole_end - at);
        out += U'.';
        if (end - next - 1 == 1) out += U'0';
        out += text.substr(next + 1, end - next - 1);
        at = end;
        continue;
      }
    }
    out += text[at++];
  }
  return out;
}

// "$0.36" -> "¢36". As in the reference any character may stand for the point.
Text with_cents_alone(View text) {
  Text out;
  for (size_t at = 0; at < text.size();) {
    const bool sub_unit = is_big_currency(text[at]) && text.substr(at + 1, 1) == U"0" &&
                          at + 2 < text.size() && text[at + 2] != U'\n';
    const size_t end = sub_unit ? cents_end(text, at + 3) : 0;
    if (end > 0) {
      out += U'¢';
      size_t first = at + 3;
      if (end - first == 2 && text[first] == U'0') ++first;
      out += text.substr(first, end - first);
      at = end;
    } else {
      out += text[at++];
    }
  }
  return out;
}

// A lone 1 or 1s is easier to read in letters.
Text with_one_in_letters(View text) {
  Text out;
  for (size_t at = 0; at < text.size();) {
    const bool begins = text[at] == U'1' && (at == 0 || !is_word_character(text[at - 1]));
    size_t end = at + 1;
    if (begins && text.substr(end, 1) == U"s" && word_ends(text, end + 1)) ++end;
    if (begins && word_ends(text, end)) {
      out += U"one";
      out += text.substr(at + 1, end - at - 1);
      at = end;
    } else {
      out += text[at++];
    }
  }
  return out;
}

}  // namespace

std::vector<std::string> join_number_words(const std::vector<std::string>& words) {
  return NumberJoiner(words).run();
}

std::u32string numbers_in_digits(std::u32string_view text) {
  const Text prepared = with_numbers_apart(with_halves_as_decimals(text));
  Text joined;
  for (const std::string& word : join_number_words(split_words(prepared))) {
    if (!joined.empty()) joined += U' ';
    joined += code_points(word);
  }
  return with_one_in_letters(with_cents_alone(with_cents_joined(joined)));
}

}  // namespace whisper_s4y
