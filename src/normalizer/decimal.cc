#include "normalizer/decimal.h"

#include <algorithm>

#include "common/utf8.h"
#include "normalizer/unicode.h"

namespace whisper_s4y {
namespace {

std::string without_leading_zeros(std::string_view digits) {
  const size_t first = digits.find_first_not_of('0');
  return first == std::string_view::npos ? "0" : std::string(digits.substr(first));
}

}  // namespace

std::optional<Decimal> read_decimal(std::string_view text, bool strict) {
  std::string whole;
  std::string fraction;
  bool point = false;
  for (const char32_t code : code_points(text)) {
    if (code == U'.' && !point) {
      point = true;
    } else if (const auto digit = digit_value(code)) {
      (point ? fraction : whole) += static_cast<char>('0' + *digit);
    } else {
      return std::nullopt;
    }
  }
  if (whole.empty() && fraction.empty()) return std::nullopt;
  if (strict && (whole.empty() || (point && fraction.empty()))) return std::nullopt;
  fraction.erase(fraction.find_last_not_of('0') + 1);
  return Decimal{without_leading_zeros(whole), fraction};
}

std::optional<std::string> shifted(const Decimal& number, int zeros) {
  const auto places = static_cast<size_t>(zeros);
  if (number.fraction.size() > places) return std::nullopt;
  return without_leading_zeros(number.whole + number.fraction +
                               std::string(places - number.fraction.size(), '0'));
}

bool ends_in_zeros(std::string_view whole, size_t count) {
  return whole.substr(whole.size() - std::min(count, whole.size())).find_first_not_of('0') ==
         std::string_view::npos;
}

std::string sum(std::string_view a, std::string_view b) {
  std::string digits;
  int carry = 0;
  for (size_t i = 0; i < std::max(a.size(), b.size()) || carry > 0; ++i) {
    const int left = i < a.size() ? a[a.size() - 1 - i] - '0' : 0;
    const int right = i < b.size() ? b[b.size() - 1 - i] - '0' : 0;
    carry += left + right;
    digits += static_cast<char>('0' + carry % 10);
    carry /= 10;
  }
  std::reverse(digits.begin(), digits.end());
  return without_leading_zeros(digits);
}

std::string multiplied_below_thousands(std::string_view whole, int zeros) {
  const size_t below = std::min<size_t>(3, whole.size());
  const std::string thousands = std::string(whole.substr(0, whole.size() - below)) + "000";
  const std::string rest = std::string(whole.substr(whole.size() - below)) +
                           std::string(static_cast<size_t>(zeros), '0');
  return sum(thousands, rest);
}

}  // namespace whisper_s4y
