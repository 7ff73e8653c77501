#include "common/parse_json.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <string>

#include "support/errors.h"

namespace whisper_s4y {
namespace {

using nlohmann::json;
using testing::HasSubstr;

std::string nested(size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

std::string refusal(std::string_view text, const JsonLimits& limits = {}) {
  try {
    (void)parse_json<json>(text, "talk.json", limits, ErrorCode::network);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::network);
    return error.what();
  }
  return {};
}

TEST(ParseJson, GivesTheValue) {
  const std::string text = R"({"b":[1,-2,3.5,true,null,"x"],"a":{"b":{}}})";
  EXPECT_EQ(parse_json<json>(text, "x"), json::parse(text));
  EXPECT_EQ(parse_json<nlohmann::ordered_json>(text, "x").dump(), text);
  EXPECT_EQ(parse_json<json>(nested(64), "x").dump(), nested(64));
}

TEST(ParseJson, DiscardsWhatIsNoJson) {
  for (const char* text : {"", "{", "[1,]", "1 2", "{\"a\" 1}", "\"\xff\"", "1e999", "nan"}) {
    EXPECT_TRUE(parse_json<json>(text, "x").is_discarded()) << text;
  }
}

TEST(ParseJsonObject, GivesTheObject) {
  EXPECT_EQ(parse_json_object<json>(R"({"a":1})", "x"), json({{"a", 1}}));
}

TEST(ParseJsonObject, SaysWhatIsWrong) {
  const auto message = [](std::string_view text, const JsonLimits& limits = {}) {
    return message_of([&] { (void)parse_json_object<json>(text, "talk.json", limits); });
  };
  EXPECT_EQ(message("[1]"), "talk.json is not a JSON object.");
  EXPECT_EQ(message(""), "talk.json is not valid JSON: line 1, column 1.");
  EXPECT_EQ(message(R"({"a" 1})"), "talk.json is not valid JSON: line 1, column 6.");
  EXPECT_EQ(message("{\n  \"a\": 1,\n}\n"), "talk.json is not valid JSON: line 3, column 1.");
  EXPECT_EQ(message("{\"a\": 1"), "talk.json is not valid JSON: line 1, column 8.");
  EXPECT_EQ(message(R"({"a":1,"b":2})", {.names = 1}),
            "talk.json has more than 1 names in its JSON.");
}

TEST(ParseJson, RefusesDeepNesting) {
  EXPECT_EQ(refusal(nested(65)), "talk.json has JSON nested more than 64 deep.");
  EXPECT_EQ(refusal(std::string(1'000'000, '[')), "talk.json has JSON nested more than 64 deep.");
  std::string objects;
  for (int i = 0; i < 65; ++i) objects += R"({"a":)";
  EXPECT_THAT(refusal(objects), HasSubstr("more than 64 deep"));
  EXPECT_EQ(refusal("[" + nested(63) + "," + nested(63) + "]"), "");
}

TEST(ParseJson, RefusesManyValuesAndNames) {
  EXPECT_EQ(refusal("[1,2]", {.values = 3}), "");
  EXPECT_EQ(refusal("[1,2,[]]", {.values = 3}), "talk.json has more than 3 values in its JSON.");
  EXPECT_EQ(refusal(R"([{"a":1},{"a":2}])", {.names = 2}), "");
  EXPECT_EQ(refusal(R"([{"a":1},{"a":2,"b":3}])", {.names = 2}),
            "talk.json has more than 2 names in its JSON.");
}

TEST(ParseJson, RefusesNamesThatAnObjectHasTwice) {
  EXPECT_EQ(refusal(R"({"a":1,"b":{"a":2},"c":[{"a":3},{"a":4}]})"), "");
  EXPECT_EQ(refusal(R"({"a":1,"b":2,"a":1})"), "talk.json has the name \"a\" twice in one object.");
}

}  // namespace
}  // namespace whisper_s4y
