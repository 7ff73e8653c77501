#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <random>

#include "common/utf8.h"
#include "normalizer/decimal.h"
#include "support/files.h"
#include "whisper_s4y/evaluate.h"

namespace whisper_s4y {
namespace {

// Made by make_reference.py with the Python package whisper-normalizer.
TEST(Normalizer, GivesWhatThePythonPackageGives) {
  std::ifstream file(source_dir() / "tests/normalizer/reference.json");
  const auto reference = nlohmann::json::parse(file);
  ASSERT_EQ(reference.size(), 500U);
  for (const auto& row : reference) {
    const auto text = row.at("text").get<std::string>();
    EXPECT_EQ(normalize_english(text), row.at("english").get<std::string>()) << text;
    EXPECT_EQ(normalize_basic(text), row.at("basic").get<std::string>()) << text;
    EXPECT_EQ(normalize_basic(text, {.remove_diacritics = true}),
              row.at("plain").get<std::string>())
        << text;
    EXPECT_EQ(normalize_basic(text, {.split_letters = true}), row.at("letters").get<std::string>())
        << text;
  }
}

// The vectors of openai/whisper tests/test_normalizer.py.
TEST(English, WritesNumbersInDigits) {
  const std::pair<const char*, const char*> cases[] = {
      {"two", "2"},
      {"thirty one", "31"},
      {"five twenty four", "524"},
      {"nineteen ninety nine", "1999"},
      {"two point five million", "2500000"},
      {"four point two billions", "4200000000s"},
      {"200 thousand dollars", "$200000"},
      {"£77 thousands", "£77000s"},
      {"two double o eight", "2008"},
      {"forty three thousand two hundred and sixty", "43260"},
      {"nineteen fifties", "1950s"},
      {"thirty three thousand and three hundred and thirty third", "33333rd"},
      {"july third twenty twenty", "july 3rd 2020"},
      {"3 point 14", "3.14"},
      {"two point two five dollars", "$2.25"},
      {"seventy six per cent", "76%"},
      {"double oh seven", "007"},
      {"one triple oh one", "10001"},
      {"thirty two thousandth", "32000th"},
      {"minus 500", "-500"},
      {"two dollars and seventy cents", "$2.70"},
      {"$0.36", "¢36"},
      {"three and a half million", "3500000"},
      {"forty eight and a half dollars", "$48.5"},
      {"b747", "b 747"},
      {"10 th", "10th"},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(normalize_english(text), expected) << text;
}

TEST(English, WritesContractionsAndTitlesOut) {
  const std::pair<const char*, const char*> cases[] = {
      {"Let's", "let us"},
      {"he's like", "he is like"},
      {"10km", "10 km"},
      {"RC232", "rc 232"},
      {"Mr. Park visited Assoc. Prof. Kim Jr.",
       "mister park visited associate professor kim junior"},
      {"The colour is grey (laughs) [noise], uh, isn't it?", "the color is gray is not it"},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(normalize_english(text), expected) << text;
}

TEST(English, NumbersMayBeOfAnySize) {
  EXPECT_EQ(normalize_english("nine hundred ninety nine decillion"), "999" + std::string(33, '0'));
  // ...777000 is kept and 777 below it multiplied: + 777000.
  EXPECT_EQ(normalize_english(std::string(60, '7') + " thousand"),
            std::string(53, '7') + "8554000");
}

TEST(Normalizer, ChoosesByLanguage) {
  EXPECT_EQ(normalize("It's two", "en"), "it is 2");
  EXPECT_EQ(normalize("C'est Deux", "fr"), "c est deux");
  EXPECT_EQ(normalize("日本語", "ja"), "日 本 語");
}

TEST(Normalizer, AnyBytesGiveValidText) {
  std::mt19937 random(9);
  for (int round = 0; round < 200; ++round) {
    std::string text;
    for (int i = 0; i < 60; ++i) text += static_cast<char>(random() % (round % 2 ? 128 : 256));
    for (const std::string& result : {normalize_english(text), normalize_basic(text)}) {
      ASSERT_EQ(result, valid_utf8(result));
    }
  }
}

TEST(Decimal, CalculatesOnWrittenNumbers) {
  EXPECT_EQ(sum("999", "1"), "1000");
  EXPECT_EQ(sum("0", "0"), "0");
  EXPECT_EQ(multiplied_below_thousands("2005", 2), "2500");
  EXPECT_EQ(multiplied_below_thousands("5", 3), "5000");
  EXPECT_EQ(shifted({"2", "5"}, 6), "2500000");
  EXPECT_EQ(shifted({"2", "345"}, 2), std::nullopt);
  EXPECT_TRUE(ends_in_zeros("100", 2));
  EXPECT_TRUE(ends_in_zeros("0", 2));
  EXPECT_FALSE(ends_in_zeros("50", 2));
  EXPECT_EQ(read_decimal("007.50", true)->whole, "7");
  EXPECT_EQ(read_decimal("007.50", true)->fraction, "5");
  EXPECT_FALSE(read_decimal("3.", true));
  EXPECT_TRUE(read_decimal("3.", false));
  EXPECT_FALSE(read_decimal(".", false));
  EXPECT_FALSE(read_decimal("1.2.3", false));
}

}  // namespace
}  // namespace whisper_s4y
