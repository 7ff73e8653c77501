// Arithmetic on written numbers of any size.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace whisper_s4y {

/// A number without sign in ASCII digits. `whole` has no leading zeros and is "0" for zero;
/// `fraction` has no trailing zeros.
struct Decimal {
  std::string whole;
  std::string fraction;
};

/// Reads "12", "3.50" and, unless `strict`, "3." and ".5", with digits of any script.
[[nodiscard]] std::optional<Decimal> read_decimal(std::string_view text, bool strict);

/// number * 10^zeros when that is whole.
[[nodiscard]] std::optional<std::string> shifted(const Decimal& number, int zeros);

/// Whether the last `count` digits of a whole number are zeros.
[[nodiscard]] bool ends_in_zeros(std::string_view whole, size_t count);

/// The sum of two whole numbers.
[[nodiscard]] std::string sum(std::string_view a, std::string_view b);

/// A whole number with its thousands kept and what is below them multiplied by 10^zeros:
/// 2005 hundred -> 2000 + 500.
[[nodiscard]] std::string multiplied_below_thousands(std::string_view whole, int zeros);

}  // namespace whisper_s4y
