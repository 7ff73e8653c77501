// Streaming JSON for large files: every event a subclass does not expect is an error.
// Includes nlohmann/json, so only .cc files may include this.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "common/fail.h"

namespace whisper_s4y {

class JsonEvents : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit JsonEvents(std::string source) : source_(std::move(source)) {}

  bool null() override { unexpected("null"); }
  bool boolean(bool) override { unexpected("true or false"); }
  bool number_integer(number_integer_t) override { unexpected("a negative number"); }
  bool number_unsigned(number_unsigned_t) override { unexpected("a number"); }
  bool number_float(number_float_t, const string_t&) override { unexpected("a fraction"); }
  bool string(string_t&) override { unexpected("a string"); }
  bool binary(binary_t&) override { unexpected("binary data"); }
  bool start_object(std::size_t) override { unexpected("an object"); }
  bool end_object() override { return true; }
  bool start_array(std::size_t) override { unexpected("a list"); }
  bool end_array() override { return true; }
  bool key(string_t&) override { unexpected("a key"); }
  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception&) override {
    fail("{} is not valid JSON at byte {}.", source_, position);
  }

  /// Parses the whole text; every violation is thrown as Error.
  void parse(std::string_view text) { nlohmann::json::sax_parse(text.begin(), text.end(), this); }

 protected:
  /// Where the reader stands, for messages; "" at the top.
  [[nodiscard]] virtual std::string place() const { return {}; }
  [[noreturn]] void unexpected(std::string_view what) const {
    const std::string where = place();
    fail("{}: {} is not expected{}{}.", source_, what, where.empty() ? "" : " in ", where);
  }
  [[nodiscard]] const std::string& source() const { return source_; }

 private:
  std::string source_;
};

}  // namespace whisper_s4y
