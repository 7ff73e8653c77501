#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <string>

#include "whisper_s4y/evaluate.h"

namespace whisper_s4y {
namespace {

TEST(WordErrors, AreCountedByKind) {
  EXPECT_EQ(word_errors("a b c", "a b c"), (ErrorCounts{0, 0, 0, 3}));
  EXPECT_EQ(word_errors("a b c", "a x c"), (ErrorCounts{1, 0, 0, 3}));
  EXPECT_EQ(word_errors("a b c", "a c"), (ErrorCounts{0, 1, 0, 3}));
  EXPECT_EQ(word_errors("a b c", "a b b c"), (ErrorCounts{0, 0, 1, 3}));
  EXPECT_EQ(word_errors("a b c d", "x c d e"), (ErrorCounts{1, 1, 1, 4}));
  EXPECT_EQ(word_errors("", "a b"), (ErrorCounts{0, 0, 2, 0}));
  EXPECT_EQ(word_errors("a b", ""), (ErrorCounts{0, 2, 0, 2}));
}

TEST(WordErrors, WhiteSpaceOnlySeparates) {
  EXPECT_EQ(word_errors("  a\tb\n c ", "a b c").errors(), 0U);
}

TEST(WordErrors, RateIsPerWordOfTheReference) {
  EXPECT_DOUBLE_EQ(word_errors("a b c d", "a b").rate(), 0.5);
  EXPECT_DOUBLE_EQ(word_errors("", "").rate(), 0);
  EXPECT_TRUE(std::isinf(word_errors("", "a").rate()));
}

TEST(WordErrors, AddUp) {
  ErrorCounts total = word_errors("a b", "a");
  total += word_errors("c", "d e");
  EXPECT_EQ(total, (ErrorCounts{1, 1, 1, 3}));
}

TEST(WordErrors, KindsExplainTheLengths) {
  std::mt19937 random(4);
  const auto text = [&] {
    std::string out;
    for (size_t i = random() % 12; i > 0; --i) out += std::string(1, "abc"[random() % 3]) + " ";
    return out;
  };
  for (int round = 0; round < 500; ++round) {
    const std::string a = text();
    const std::string b = text();
    const ErrorCounts forth = word_errors(a, b);
    const ErrorCounts back = word_errors(b, a);
    ASSERT_EQ(forth.errors(), back.errors());
    ASSERT_EQ(forth.reference + forth.insertions, back.reference + forth.deletions);
  }
}

TEST(CharacterErrors, LeaveWhiteSpaceOut) {
  EXPECT_EQ(character_errors("日本語", "日 本 話"), (ErrorCounts{1, 0, 0, 3}));
  EXPECT_EQ(character_errors("né", "ne"), (ErrorCounts{1, 0, 0, 2}));
}

}  // namespace
}  // namespace whisper_s4y
