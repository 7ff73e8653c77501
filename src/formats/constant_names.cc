#include "formats/constant_names.h"

#include <charconv>
#include <cmath>
#include <optional>

#include "common/fail.h"

namespace whisper_s4y {
namespace {

bool take(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

template <typename Number>
bool take_number(std::string_view& text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return false;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return true;
}

/// Reads what follows the weight's own name; nothing when it is none of what was ever written.
std::optional<StoredWeight> parse(const Constants& constants, const std::string& weight,
                                  std::string_view name) {
  StoredWeight stored{.weight = weight, .constant = std::string(name)};
  std::string_view change = name.substr(weight.size());
  if (change == ".coarse_sines") {
    stored.constant.clear();
    return stored;
  }
  if (take(change, "[")) {  // rows FIRST+COUNT
    int64_t count = 0;
    if (!take_number(change, stored.first_row) || !take(change, "+") ||
        !take_number(change, count) || !take(change, "]") || stored.first_row < 0) {
      return std::nullopt;
    }
  }
  if (take(change, "*") && (!take_number(change, stored.factor) || !(stored.factor > 0) ||
                            !std::isfinite(1.0F / stored.factor))) {
    return std::nullopt;
  }
  stored.taps_first = take(change, ":ohwi");
  if (change.starts_with(":[")) {  // another shape
    change.remove_prefix(std::min(change.find(']'), change.size() - 1) + 1);
  }
  std::string divisors;
  if (take(change, ":divided(")) {
    divisors = change.substr(0, change.find(')'));
    change.remove_prefix(std::min(divisors.size() + 1, change.size()));
  } else if (take(change, ":divided")) {
    divisors = weight + ".factors";
  }
  if (constants.contains(divisors)) stored.column_factors = divisors;
  const std::string stem(name.substr(0, name.size() - change.size()));
  if (change == ".integers" || change == ".integers_scale_1") {
    stored.row_scales = stem + ".scales";
  } else if (change == ".scales.int4" || change == ".scales.pairs") {
    stored.block_scales = stem + ".scales";
  } else if (!change.empty()) {
    return std::nullopt;
  }
  return stored;
}

template <typename Visit>
void for_names(const Constants& constants, const std::string& weight, Visit visit) {
  for (auto at = constants.lower_bound(weight);
       at != constants.end() && at->first.starts_with(weight); ++at) {
    visit(at->first);
  }
}

}  // namespace

std::vector<StoredWeight> stored_by_name(const Constants& constants, const std::string& weight) {
  std::vector<StoredWeight> found;
  for_names(constants, weight, [&](std::string_view name) {
    if (auto stored = parse(constants, weight, name)) found.push_back(std::move(*stored));
  });
  return found;
}

std::vector<std::string_view> unknown_names(const Constants& constants, const std::string& weight) {
  std::vector<std::string_view> found;
  for_names(constants, weight, [&](std::string_view name) {
    const size_t end = weight.size();
    const bool is_change =
        name.size() == end || std::string_view("*:.[").find(name[end]) != std::string_view::npos;
    if (is_change && !parse(constants, weight, name)) found.push_back(name);
  });
  return found;
}

}  // namespace whisper_s4y
