// JSON documents of megabytes, read value by value with simdjson and never held as a tree. Only .cc
// files may include this.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "common/fail.h"

namespace whisper_s4y {

using JsonValue = simdjson::ondemand::value;
using JsonObject = simdjson::ondemand::object;

/// A JSON text. Values can be read once and in order; every one that is not of the type asked for
/// is an Error that names the source, what stands there and `place`.
class LargeJson {
 public:
  LargeJson(std::string source, std::string_view text);

  /// Calls visit(root), then sees that nothing follows.
  template <typename Visit>
  void read(Visit visit) {
    try {
      simdjson::ondemand::parser parser;
      simdjson::ondemand::document document = parser.iterate(text_);
      JsonValue root = document;
      visit(root);
      if (document.current_location().error() != simdjson::OUT_OF_BOUNDS) refuse();
    } catch (const simdjson::simdjson_error&) {
      refuse();
    }
  }

  /// Calls visit(key, value) for every field.
  template <typename Visit>
  void for_fields(JsonValue& value, std::string_view place, Visit visit) const {
    expect(value, simdjson::ondemand::json_type::object, place);
    for (auto field : value.get_object()) {
      const std::string_view key = field.unescaped_key();
      JsonValue inner = field.value();
      visit(key, inner);
    }
  }
  /// Calls visit(value) for every value of a list.
  template <typename Visit>
  void for_values(JsonValue& value, std::string_view place, Visit visit) const {
    expect(value, simdjson::ondemand::json_type::array, place);
    for (auto element : value.get_array()) {
      JsonValue inner = element.value();
      visit(inner);
    }
  }
  [[nodiscard]] std::string_view text_of(JsonValue& value, std::string_view place) const;
  /// A whole number that is not negative.
  [[nodiscard]] uint64_t number_of(JsonValue& value, std::string_view place) const;
  [[nodiscard]] bool bool_of(JsonValue& value, std::string_view place) const;

  [[nodiscard]] const std::string& source() const { return source_; }
  /// Throws the Error of a value that has no place there.
  [[noreturn]] void unexpected(JsonValue& value, std::string_view place) const;
  [[noreturn]] void unexpected(std::string_view what, std::string_view place) const;

 private:
  void expect(JsonValue& value, simdjson::ondemand::json_type type, std::string_view place) const;
  /// Throws the Error of a text that is no JSON.
  [[noreturn]] void refuse() const;

  std::string source_;
  simdjson::padded_string text_;
};

}  // namespace whisper_s4y
