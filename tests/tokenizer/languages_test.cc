#include "tokenizer/languages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "whisper_s4y/error.h"

namespace whisper_s4y {
namespace {

using ::testing::HasSubstr;

std::string message_for(std::string_view name) {
  try {
    return "no error but " + std::string(language_code(name));
  } catch (const Error& error) {
    return error.what();
  }
}

TEST(Languages, StandInTheOrderOfTheirTokens) {
  ASSERT_EQ(languages().size(), 100U);
  EXPECT_EQ(languages()[0].code, "en");
  EXPECT_EQ(languages()[13].name, "arabic");
  EXPECT_EQ(languages()[98].code, "su");
  EXPECT_EQ(languages()[99].code, "yue");
}

TEST(Languages, CodesAndNamesAreUniqueAndFindThemselves) {
  std::set<std::string_view> codes;
  std::set<std::string_view> names;
  for (const Language& language : languages()) {
    EXPECT_TRUE(codes.insert(language.code).second) << language.code;
    EXPECT_TRUE(names.insert(language.name).second) << language.name;
    EXPECT_EQ(language_code(language.code), language.code);
    EXPECT_EQ(language_code(language.name), language.code);
    EXPECT_EQ(language_name(language.code), language.name);
  }
}

TEST(Languages, AreFoundByOtherNamesAndForms) {
  EXPECT_EQ(language_code("Flemish"), "nl");
  EXPECT_EQ(language_code("MANDARIN"), "zh");
  EXPECT_EQ(language_code("moldovan"), "ro");
  EXPECT_EQ(language_code("Haitian Creole"), "ht");
  EXPECT_EQ(language_code("iw"), "he");
  EXPECT_EQ(language_code("jv"), "jw");
  EXPECT_EQ(language_code("pt-BR"), "pt");
  EXPECT_EQ(language_code("zh_Hans_CN"), "zh");
  EXPECT_EQ(language_code(" en "), "en");
}

TEST(Languages, UnknownOnesListNearChoices) {
  EXPECT_EQ(message_for("germna"),
            "\"germna\" is not a language Whisper knows; near choices: german (de).");
  EXPECT_THAT(message_for("portugese"), HasSubstr("portuguese (pt)"));
  EXPECT_THAT(message_for("swiss"), HasSubstr("give a code such as en"));
  EXPECT_THAT(message_for("ger"), HasSubstr("german (de)"));
  EXPECT_THAT(message_for(""), HasSubstr("\"\" is not a language"));
}

TEST(Languages, UnknownCodesHaveNoName) { EXPECT_EQ(language_name("xx"), ""); }

}  // namespace
}  // namespace whisper_s4y
