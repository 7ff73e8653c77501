#include "config/sinusoids.h"

#include <gtest/gtest.h>

#include <cmath>

namespace whisper_s4y {
namespace {

TEST(Sinusoids, AreThoseOfOpenaiWhisper) {
  constexpr int kWidth = 6;
  const std::vector<float> table = sinusoids(1500, kWidth);
  ASSERT_EQ(table.size(), 1500U * kWidth);
  const auto at = [&](int t, int column) {
    return table[static_cast<size_t>(t * kWidth + column)];
  };
  // Three frequencies: 1, 1 / 100, 1 / 10000.
  for (const int t : {0, 1, 49, 1499}) {
    EXPECT_NEAR(at(t, 0), std::sin(t), 1e-6);
    EXPECT_NEAR(at(t, 1), std::sin(t / 100.0), 1e-6);
    EXPECT_NEAR(at(t, 2), std::sin(t / 10000.0), 1e-6);
    EXPECT_NEAR(at(t, 3), std::cos(t), 1e-6);
    EXPECT_NEAR(at(t, 5), std::cos(t / 10000.0), 1e-6);
  }
}

}  // namespace
}  // namespace whisper_s4y
