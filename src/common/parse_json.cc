#include "common/parse_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

namespace whisper_s4y {
namespace {

/// Reads a text without making anything of it, and throws when it is more than it may be.
class LimitCheck : public nlohmann::json_sax<nlohmann::json> {
 public:
  LimitCheck(std::string_view source, const JsonLimits& limits, ErrorCode code)
      : source_(source), limits_(limits), code_(code) {}

  bool null() override { return add_value(); }
  bool boolean(bool) override { return add_value(); }
  bool number_integer(number_integer_t) override { return add_value(); }
  bool number_unsigned(number_unsigned_t) override { return add_value(); }
  bool number_float(number_float_t, const string_t&) override { return add_value(); }
  bool string(string_t&) override { return add_value(); }
  bool binary(binary_t&) override { return add_value(); }
  bool start_object(std::size_t) override { return open(); }
  bool end_object() override { return close(); }
  bool start_array(std::size_t) override { return open(); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    if (++names_ > limits_.names) {
      fail(code_, "{} has more than {} names in its JSON.", source_, limits_.names);
    }
    if (!open_.back().insert(name).second) {
      fail(code_, "{} has the name \"{}\" twice in one object.", source_, name);
    }
    return true;
  }
  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception&) override {
    fault_ = position > 0 ? position - 1 : 0;  // it counts from 1
    return false;
  }

  /// The byte at which the text stopped being JSON.
  [[nodiscard]] size_t fault() const { return fault_; }

 private:
  bool add_value() {
    if (++values_ > limits_.values) {
      fail(code_, "{} has more than {} values in its JSON.", source_, limits_.values);
    }
    return true;
  }
  bool open() {
    if (open_.size() == limits_.depth) {
      fail(code_, "{} has JSON nested more than {} deep.", source_, limits_.depth);
    }
    open_.emplace_back();
    return add_value();
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  std::string_view source_;
  const JsonLimits& limits_;
  ErrorCode code_;
  std::vector<std::set<std::string>> open_;  // lists and objects around, each with its names
  size_t values_ = 0;
  size_t names_ = 0;
  size_t fault_ = 0;
};

bool check_json(std::string_view text, LimitCheck& check) {
  return nlohmann::json::sax_parse(text.begin(), text.end(), &check);
}

/// "line 3, column 7" of a byte.
std::string place_in(std::string_view text, size_t byte) {
  const std::string_view before = text.substr(0, byte);
  const auto lines = std::ranges::count(before, '\n');
  const size_t start = before.rfind('\n') + 1;  // npos + 1 is 0
  return fmt::format("line {}, column {}", lines + 1, before.size() - start + 1);
}

}  // namespace

template <typename Json>
Json parse_json(std::string_view text, std::string_view source, const JsonLimits& limits,
                ErrorCode code) {
  LimitCheck check(source, limits, code);
  if (!check_json(text, check)) return typename Json::value_t(Json::value_t::discarded);
  return Json::parse(text.begin(), text.end());
}

template <typename Json>
Json parse_json_object(std::string_view text, std::string_view source, const JsonLimits& limits,
                       ErrorCode code) {
  LimitCheck check(source, limits, code);
  if (!check_json(text, check)) {
    fail(code, "{} is not valid JSON: {}.", source, place_in(text, check.fault()));
  }
  Json value = Json::parse(text.begin(), text.end());
  if (!value.is_object()) fail(code, "{} is not a JSON object.", source);
  return value;
}

template nlohmann::json parse_json(std::string_view, std::string_view, const JsonLimits&,
                                   ErrorCode);
template nlohmann::ordered_json parse_json(std::string_view, std::string_view, const JsonLimits&,
                                           ErrorCode);
template nlohmann::json parse_json_object(std::string_view, std::string_view, const JsonLimits&,
                                          ErrorCode);
template nlohmann::ordered_json parse_json_object(std::string_view, std::string_view,
                                                  const JsonLimits&, ErrorCode);

}  // namespace whisper_s4y
