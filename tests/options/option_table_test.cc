// A small struct of every kind of field, set and read through its table.
#include "options/option_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "whisper_s4y/error.h"

namespace whisper_s4y {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

enum class Colour { red, green };
constexpr std::string_view kColours[] = {"red", "green"};
constexpr std::string_view kSizes[] = {"small", "middling", "large"};

struct Inner {
  int depth = 3;
  double width = kNoLimit;
};

struct Sample {
  bool loud = false;
  int count = 2;
  uint64_t seed = 0;
  float ratio = 0.2F;
  std::optional<float> limit = 2.4F;
  std::string size = "small";
  std::optional<std::string> name;
  std::filesystem::path folder;
  Colour colour = Colour::red;
  std::vector<int> ids = {-1};
  std::vector<float> steps = {0.0F, 0.2F};
  std::vector<std::string> names;
  Inner inner;
  std::optional<Inner> other;
};

}  // namespace

template <>
const OptionTable& option_table<Inner>();
template <>
const OptionTable& option_table<Sample>();

namespace {

constexpr Option kInnerRows[] = {
    option<&Inner::depth>("depth", "How deep", {.bounds = {0, 9}}),
    option<&Inner::width>("width", "How wide", {.bounds = {1, kNoLimit}}),
};
static_assert(describes<Inner>(kInnerRows));

constexpr Option kRows[] = {
    option<&Sample::loud>("loud", "Louder"),
    option<&Sample::count>("count", "How many", {.bounds = {1, 10}}),
    option<&Sample::seed>("seed", "Of dice"),
    option<&Sample::ratio>("ratio", "Of two things", {.bounds = {0.01, 1}, .flag = "--the-ratio"}),
    option<&Sample::limit>("limit", "At most", {.bounds = {0, 100}}),
    option<&Sample::size>("size", "How large", {.choices = kSizes}),
    option<&Sample::name>("name", "What it is called"),
    option<&Sample::folder>("folder", "Where it is"),
    option<&Sample::colour>("colour", "What it looks like", {.choices = kColours}),
    option<&Sample::ids>("ids", "Numbers", {.bounds = {-1, 99}}),
    option<&Sample::steps>("steps", "Further numbers", {.bounds = {0, 1}, .length = {1, 3}}),
    option<&Sample::names>("names", "Texts", {.length = {0, 2}}),
    option<&Sample::inner>("inner", "Options inside"),
    option<&Sample::other>("other", "Options that may be none"),
};
static_assert(describes<Sample>(kRows));
static_assert(!describes<Sample>(std::span(kRows).first(13)), "a field without a row");
static_assert(describes<Sample>(std::span(kRows).first(13), 1), "unless it is a callback");
constexpr Option kMisnamedRows[] = {option<&Inner::depth>("dept", ""),
                                    option<&Inner::width>("width", "")};
static_assert(!describes<Inner>(kMisnamedRows));
constexpr Option kDoubleRows[] = {option<&Inner::depth>("depth", ""),
                                  option<&Inner::depth>("depth", "")};
static_assert(!describes<Inner>(kDoubleRows));
static_assert(field_count<Inner>() == 2);
static_assert(field_count<Sample>() == 14);
static_assert(name_of<&Sample::ratio>(kRows).flag == "--the-ratio");

}  // namespace

template <>
const OptionTable& option_table<Inner>() {
  static const OptionTable table = table_of<Inner>(kInnerRows);
  return table;
}

template <>
const OptionTable& option_table<Sample>() {
  static const OptionTable table = table_of<Sample>(kRows);
  return table;
}

namespace {

/// The sentence that `change` is refused with; it leaves the options as they were.
template <typename Change>
std::string refusal_of(const Change& change) {
  Sample options;
  try {
    change(options);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
    EXPECT_EQ(to_json(options), to_json(Sample()));
    return error.what();
  }
  return "";
}

std::string refusal(const std::string& name, const std::string& text) {
  return refusal_of([&](Sample& options) { set_option(options, name, text); });
}

std::string refusal(const std::string& json) {
  return refusal_of([&](Sample& options) { set_options(options, json); });
}

TEST(OptionTable, IsOneObject) {
  EXPECT_EQ(
      to_json(Sample()),
      R"({"loud":false,"count":2,"seed":0,"ratio":0.2,"limit":2.4,"size":"small","name":null,)"
      R"("folder":"","colour":"red","ids":[-1],"steps":[0.0,0.2],"names":[],)"
      R"("inner":{"depth":3,"width":null},"other":null})");
}

TEST(OptionTable, ReadsWhatItHasWritten) {
  Sample options;
  set_options(options,
              R"({"loud":true,"count":10,"seed":18446744073709551615,"ratio":0.01,"limit":null,)"
              R"("size":"large","name":"é","folder":"/a b","colour":"green","ids":[],)"
              R"("steps":[1,0.1],"names":["a","b,c"],"inner":{"depth":4},"other":{"width":1.5}})");
  EXPECT_TRUE(options.loud);
  EXPECT_EQ(options.seed, std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(options.ratio, 0.01F);
  EXPECT_EQ(options.limit, std::nullopt);
  EXPECT_EQ(options.colour, Colour::green);
  EXPECT_THAT(options.steps, ElementsAre(1.0F, 0.1F));
  EXPECT_THAT(options.names, ElementsAre("a", "b,c"));
  EXPECT_EQ(options.inner.depth, 4);
  EXPECT_EQ(options.inner.width, kNoLimit);
  ASSERT_TRUE(options.other);
  EXPECT_EQ(options.other->depth, 3);
  EXPECT_EQ(options.other->width, 1.5);

  Sample again;
  set_options(again, to_json(options));
  EXPECT_EQ(to_json(again), to_json(options));
  set_options(again, R"({"other": null})");
  EXPECT_FALSE(again.other);
}

TEST(OptionTable, SetsOptionsFromText) {
  Sample options;
  set_option(options, "loud", "true");
  set_option(options, "count", "7");
  set_option(options, "limit", "none");
  set_option(options, "name", "none");
  set_option(options, "colour", "green");
  set_option(options, "ids", "3, 4,-1");
  set_option(options, "steps", "0.5");
  set_option(options, "names", "");
  set_option(options, "inner.width", "2.5");
  set_option(options, "other.depth", "9");
  EXPECT_TRUE(options.loud);
  EXPECT_EQ(options.count, 7);
  EXPECT_EQ(options.limit, std::nullopt);
  EXPECT_EQ(options.name, "none");  // a text like any other
  EXPECT_EQ(options.colour, Colour::green);
  EXPECT_THAT(options.ids, ElementsAre(3, 4, -1));
  EXPECT_THAT(options.steps, ElementsAre(0.5F));
  EXPECT_THAT(options.names, IsEmpty());
  set_option(options, "names", "a, b");
  EXPECT_THAT(options.names, ElementsAre("a", "b"));
  EXPECT_EQ(options.inner.width, 2.5);
  EXPECT_EQ(options.other.value().depth, 9);
  for (const char* nothing : {"none", "inf"}) {
    set_option(options, "inner.width", nothing);
    EXPECT_EQ(options.inner.width, kNoLimit);
  }
  set_option(options, "other", R"({"depth": 1})");
  EXPECT_EQ(options.other.value().depth, 1);
  set_option(options, "other", "none");
  EXPECT_FALSE(options.other);
}

TEST(OptionTable, GivesSingleOptions) {
  Sample options;
  EXPECT_EQ(get_option(options, "ratio").dump(), "0.2");
  EXPECT_EQ(get_option(options, "colour").dump(), "\"red\"");
  EXPECT_EQ(get_option(options, "inner.depth").dump(), "3");
  EXPECT_EQ(get_option(options, "other.depth").dump(), "null");
  EXPECT_FALSE(options.other);
  options.other.emplace();
  EXPECT_EQ(get_option(options, "other.depth").dump(), "3");
  EXPECT_EQ(text_of(get_option(options, "steps")), "0,0.2");
}

TEST(OptionTable, RefusesWrongTypes) {
  EXPECT_EQ(refusal("loud", "yes"), "loud: expected true or false, not \"yes\".");
  EXPECT_EQ(refusal("count", "many"), "count: expected a whole number, not \"many\".");
  EXPECT_EQ(refusal("count", "1.5"), "count: expected a whole number, not \"1.5\".");
  EXPECT_EQ(refusal("limit", ""), "limit: expected a number or none, not \"\".");
  EXPECT_EQ(refusal("ids", "1,,2"),
            "ids: expected whole numbers with commas between, not \"1,,2\".");
  EXPECT_EQ(refusal("ids", "1,"), "ids: expected whole numbers with commas between, not \"1,\".");
  EXPECT_EQ(refusal(R"({"count": "2"})"), "count: expected a whole number, not \"2\".");
  EXPECT_EQ(refusal(R"({"count": null})"), "count: expected a whole number, not null.");
  EXPECT_EQ(refusal(R"({"limit": true})"), "limit: expected a number or null, not true.");
  EXPECT_EQ(refusal(R"({"name": 3})"), "name: expected a text or null, not 3.");
  EXPECT_EQ(refusal(R"({"colour": 1})"), "colour: expected red or green, not 1.");
  EXPECT_EQ(refusal(R"({"steps": [0, "x"]})"), "steps: expected a list of numbers, not [0,\"x\"].");
  EXPECT_EQ(refusal(R"({"inner": 3})"), "inner: expected an object of options, not 3.");
  EXPECT_EQ(refusal(R"({"inner": null})"), "inner: expected an object of options, not null.");
  EXPECT_EQ(refusal("[]"), "Options are a JSON object, not [].");
  EXPECT_EQ(refusal("{"), "Options are a JSON object, and this is no JSON: {");
}

TEST(OptionTable, RefusesJsonThatOptionsCannotBe) {
  const std::string deep(60'000, '[');
  EXPECT_EQ(refusal(R"({"steps": )" + deep),
            "The text with options has JSON nested more than 64 deep.");
  EXPECT_EQ(refusal("inner", deep), "The text with options has JSON nested more than 64 deep.");
  EXPECT_EQ(refusal(R"({"count": 2, "count": 3})"),
            "The text with options has the name \"count\" twice in one object.");
}

TEST(OptionTable, RefusesWhatIsOutOfBounds) {
  EXPECT_EQ(refusal("count", "0"), "count must be 1 to 10, not 0.");
  EXPECT_EQ(refusal("count", "99999999999"), "count must be 1 to 10, not 99999999999.");
  EXPECT_EQ(refusal("seed", "-1"), "seed must be 0 or more, not -1.");
  EXPECT_EQ(refusal("limit", "nan"), "limit must be 0 to 100, not nan.");
  EXPECT_EQ(refusal("limit", "inf"), "limit must be 0 to 100, not inf.");
  EXPECT_EQ(refusal("ids", "1,100"), "ids must be -1 to 99, not 100.");
  EXPECT_EQ(refusal(R"({"steps": [0.5, 1.5]})"), "steps must be 0 to 1, not 1.5.");
  EXPECT_EQ(refusal("inner.width", "0.5"), "width must be 1 or more, not 0.5.");
  EXPECT_EQ(refusal("size", "huge"), "size must be small, middling or large, not \"huge\".");
  EXPECT_EQ(refusal("colour", "blue"), "colour must be red or green, not \"blue\".");
}

TEST(OptionTable, RefusesListsOfAnotherLength) {
  EXPECT_EQ(refusal("steps", ""), "steps must be 1 to 3 numbers, not 0.");
  EXPECT_EQ(refusal("steps", "0,0,0,0"), "steps must be 1 to 3 numbers, not 4.");
  EXPECT_EQ(refusal(R"({"steps": []})"), "steps must be 1 to 3 numbers, not 0.");
  EXPECT_EQ(refusal("names", "a,b,c"), "names must be 0 to 2 texts, not 3.");
}

TEST(OptionTable, TextIsUtf8AndAPathIsNot) {
  EXPECT_EQ(refusal("name", "\xFF\xFE"), "name must be UTF-8, which \"\uFFFD\uFFFD\" is not.");
  EXPECT_EQ(refusal("names", "ä,\xE4"), "names must be UTF-8, which \"\uFFFD\" is not.");
  EXPECT_EQ(refusal_of([](Sample& options) {
              Sample changed = options;
              changed.name = "\xE4";
              check_rows(changed);
            }),
            "name must be UTF-8, which \"\uFFFD\" is not.");
  Sample options;
  set_option(options, "folder", "\xE4");
  EXPECT_EQ(options.folder, "\xE4");
}

TEST(OptionTable, NamesTheNearestOfUnknownOptions) {
  EXPECT_EQ(refusal("cuont", "1"), "There is no option \"cuont\"; the nearest is count.");
  EXPECT_EQ(refusal(R"({"colors": "red"})"),
            "There is no option \"colors\"; the nearest is colour.");
  EXPECT_EQ(refusal("nothing_like_it", "1"),
            "There is no option \"nothing_like_it\"; there are loud, count, seed, ratio, limit, "
            "size, name, folder, colour, ids, steps, names, inner, other.");
  EXPECT_EQ(refusal("other.dept", "1"), "There is no option \"dept\"; the nearest is depth.");
  EXPECT_EQ(refusal("count.depth", "1"),
            "There is no option \"count.depth\"; count has no options inside.");
  EXPECT_EQ(refusal_of([](Sample& options) { (void)get_option(options, "other.dept"); }),
            "There is no option \"dept\"; the nearest is depth.");
  // Of long names no nearest is sought, which would take hours.
  EXPECT_EQ(
      refusal(std::string(20'000'000, 'x'), "1"),
      "There is no option \"" + std::string(64, 'x') +
          "...\"; there are loud, count, seed, ratio, limit, size, name, folder, colour, ids, "
          "steps, names, inner, other.");
}

TEST(OptionTable, ChecksFieldsThatWereSetDirectly) {
  const auto message = [](void (*change)(Sample&)) {
    Sample options;
    change(options);
    try {
      check_rows(options);
      return std::string();
    } catch (const OptionError& error) {
      return std::string(error.usage());
    }
  };
  EXPECT_EQ(message([](Sample&) {}), "");
  EXPECT_EQ(message([](Sample& o) { o.ratio = 0.01F; }), "");
  EXPECT_EQ(message([](Sample& o) { o.inner.width = 0; }), "");  // its own check tells
  EXPECT_EQ(message([](Sample& o) { o.ratio = std::nanf(""); }),
            "--the-ratio must be 0.01 to 1, not nan.");
  EXPECT_EQ(message([](Sample& o) { o.steps = {0, 2}; }), "--steps must be 0 to 1, not 2.");
  EXPECT_EQ(message([](Sample& o) { o.steps.clear(); }), "--steps must be 1 to 3 numbers, not 0.");
  EXPECT_EQ(message([](Sample& o) { o.size = "none"; }),
            "--size must be small, middling or large, not \"none\".");
  EXPECT_EQ(message([](Sample& o) { o.colour = static_cast<Colour>(7); }),
            "--colour must be red or green, not number 7.");
}

}  // namespace
}  // namespace whisper_s4y
