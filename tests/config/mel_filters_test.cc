#include "config/mel_filters.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <vector>

namespace whisper_s4y {
namespace {

constexpr size_t kBins = 201;

// The figures are those of whisper/assets/mel_filters.npz.
void expect_filters(int bands, float largest, double total, float first, int in_last_band) {
  const std::vector<float> filters = mel_filters(bands);
  ASSERT_EQ(filters.size(), static_cast<size_t>(bands) * kBins);
  EXPECT_NEAR(*std::max_element(filters.begin(), filters.end()), largest, 1e-8);
  EXPECT_NEAR(std::accumulate(filters.begin(), filters.end(), 0.0), total, 1e-6);
  EXPECT_NEAR(filters[1], first, 1e-7);
  const auto used = [](float number) { return number != 0; };
  EXPECT_EQ(std::count_if(filters.begin(), filters.begin() + kBins, used), 1);
  EXPECT_EQ(std::count_if(filters.end() - kBins, filters.end(), used), in_last_band);
}

TEST(MelFilters, EightyBands) { expect_filters(80, 0.0258806832F, 1.9990242, 0.0248626F, 14); }

TEST(MelFilters, AsManyAsLargeV3Has) {
  expect_filters(128, 0.0416817516F, 3.1909857, 0.0123740F, 9);
}

}  // namespace
}  // namespace whisper_s4y
