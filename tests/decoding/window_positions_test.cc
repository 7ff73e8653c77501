#include "decoding/window_positions.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "config/front_end.h"

namespace whisper_s4y {
namespace {

TEST(SampledPositions, AreThoseOfTheSoundAndAFewOfThePadding) {
  const auto positions = sampled_positions(300, 1.0);
  ASSERT_TRUE(positions);
  EXPECT_EQ(positions->contiguous, 151U + 50U);
  EXPECT_LT(positions->size(), 700U);
  EXPECT_EQ(positions->multiplicities.size(), positions->size());
  EXPECT_TRUE(std::ranges::is_sorted(positions->sampled));
  EXPECT_GE(positions->sampled.front(), positions->contiguous);
  EXPECT_LT(positions->sampled.back(), static_cast<size_t>(kWindowPositions));
}

TEST(SampledPositions, StandForTheWholeWindow) {
  for (int frames = 0; frames < 2400; frames += 7) {
    const auto positions = sampled_positions(frames, 0.5);
    ASSERT_TRUE(positions) << frames;
    const auto& counts = positions->multiplicities;
    EXPECT_EQ(std::accumulate(counts.begin(), counts.end(), 0.0F), kWindowPositions) << frames;
    // The first position after them sees nothing but padding.
    EXPECT_GE(2 * static_cast<int>(positions->contiguous) - 2, frames);
  }
}

TEST(SampledPositions, AreNoneWhereThereIsLittlePadding) {
  EXPECT_FALSE(sampled_positions(3000, 0.0));
  EXPECT_FALSE(sampled_positions(2700, 0.0));
  EXPECT_TRUE(sampled_positions(2400, 0.0));
  EXPECT_FALSE(sampled_positions(2400, 2.0));
  EXPECT_FALSE(sampled_positions(0, 30.0));
}

}  // namespace
}  // namespace whisper_s4y
