#include "decoding/loop_guard.h"

#include <gtest/gtest.h>

#include <vector>

namespace whisper_s4y {
namespace {

constexpr int kTime = 1000;  // <|0.00|>

// `begin`, then `turn` over and over until there are `count` tokens.
std::vector<int> loop(std::vector<int> begin, const std::vector<int>& turn, size_t count) {
  for (size_t i = 0; begin.size() < count; ++i) begin.push_back(turn[i % turn.size()]);
  return begin;
}

TEST(LoopGuard, SeesOneTokenRepeated) {
  EXPECT_EQ(loop_end(loop({1, 2}, {7}, 41), kTime), std::nullopt);
  EXPECT_EQ(loop_end(loop({1, 2}, {7}, 42), kTime), 3U);
}

TEST(LoopGuard, SeesPhrases) {
  const std::vector<int> phrase = {3, 4, 5, 6, 3, 8, 9, 10, 11, 12, 13, 14};
  EXPECT_EQ(loop_end(loop({1}, phrase, 60), kTime), std::nullopt);
  EXPECT_EQ(loop_end(loop({1}, phrase, 61), kTime), 13U);
  // Wherever a turn stands when it is seen.
  for (size_t count = 61; count < 90; ++count) {
    EXPECT_EQ(loop_end(loop({1}, phrase, count), kTime), 13U) << count;
  }
}

TEST(LoopGuard, LetsTextGoOn) {
  std::vector<int> text = loop({}, {1, 2, 3}, 60);
  text.push_back(4);
  EXPECT_EQ(loop_end(text, kTime), std::nullopt);
  EXPECT_EQ(loop_end({}, kTime), std::nullopt);
  std::vector<int> counting;
  for (int i = 0; i < 224; ++i) counting.push_back(i % 2 == 0 ? 5 : 10 + i);  // "1, 2, 3, ..."
  EXPECT_EQ(loop_end(counting, kTime), std::nullopt);
}

TEST(LoopGuard, LeavesTimestampsOut) {
  // <|0.00|> thank you<|1.00|><|1.00|> thank you<|2.00|><|2.00|> ...
  std::vector<int> tokens;
  for (int turn = 0; turn < 20; ++turn) {
    for (const int token : {kTime + turn, 1, 2, kTime + turn + 1}) tokens.push_back(token);
  }
  EXPECT_EQ(loop_end(tokens, kTime), 4U);  // what is left ends with its own time
  tokens.resize(4);
  EXPECT_EQ(loop_end(tokens, kTime), std::nullopt);
}

}  // namespace
}  // namespace whisper_s4y
