#include "checkpoint/large_json.h"

#include <nlohmann/json.hpp>
#include <utility>

namespace whisper_s4y {
namespace {

using Type = simdjson::ondemand::json_type;

constexpr std::string_view kNumber = "a number";

std::string_view kind_of(JsonValue& value) {
  switch (value.type().value()) {
    case Type::array:
      return "a list";
    case Type::object:
      return "an object";
    case Type::string:
      return "a string";
    case Type::boolean:
      return "true or false";
    case Type::null:
      return "null";
    case Type::number:
      break;
  }
  if (value.get_number_type() == simdjson::ondemand::number_type::floating_point_number) {
    return "a fraction";
  }
  return value.is_negative() ? "a negative number" : kNumber;
}

/// Reads everything and keeps nothing but the place where a text is no JSON.
struct FaultFinder : nlohmann::json_sax<nlohmann::json> {
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_object(std::size_t) override { return true; }
  bool end_object() override { return true; }
  bool start_array(std::size_t) override { return true; }
  bool end_array() override { return true; }
  bool key(string_t&) override { return true; }
  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception&) override {
    fault = position;
    return false;
  }
  size_t fault = 0;
};

}  // namespace

LargeJson::LargeJson(std::string source, std::string_view text)
    : source_(std::move(source)), text_(text) {}

std::string_view LargeJson::text_of(JsonValue& value, std::string_view place) const {
  expect(value, Type::string, place);
  return value.get_string();
}

uint64_t LargeJson::number_of(JsonValue& value, std::string_view place) const {
  uint64_t number = 0;
  const simdjson::error_code error = value.get_uint64().get(number);
  if (error == simdjson::SUCCESS) return number;
  if (kind_of(value) != kNumber) unexpected(value, place);
  throw simdjson::simdjson_error(error);  // read() says that it is no JSON
}

bool LargeJson::bool_of(JsonValue& value, std::string_view place) const {
  expect(value, Type::boolean, place);
  return value.get_bool();
}

void LargeJson::expect(JsonValue& value, Type type, std::string_view place) const {
  if (value.type().value() != type) unexpected(value, place);
}

void LargeJson::unexpected(JsonValue& value, std::string_view place) const {
  unexpected(kind_of(value), place);
}

void LargeJson::unexpected(std::string_view what, std::string_view place) const {
  fail("{}: {} is not expected{}{}.", source_, what, place.empty() ? "" : " in ", place);
}

void LargeJson::refuse() const {
  // simdjson does not say where every fault is.
  FaultFinder finder;
  const std::string_view text = text_;
  nlohmann::json::sax_parse(text.begin(), text.end(), &finder);
  if (finder.fault == 0) fail("{} is nested too deeply, or has a number out of range.", source_);
  fail("{} is not valid JSON at byte {}.", source_, finder.fault);
}

}  // namespace whisper_s4y
