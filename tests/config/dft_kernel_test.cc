#include "config/dft_kernel.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

namespace whisper_s4y {
namespace {

TEST(DftKernel, FindsTheBinOfATone) {
  constexpr int kSize = 16;
  constexpr int kBins = kSize / 2 + 1;
  const std::vector<float> kernel = dft_kernel(kSize);
  ASSERT_EQ(kernel.size(), size_t{2} * kBins * kSize);
  for (int bin = 0; bin < kBins; ++bin) {
    double cosine = 0;
    double sine = 0;
    for (int n = 0; n < kSize; ++n) {
      const double tone = std::sin(2 * std::numbers::pi * 3 * n / kSize);
      cosine += tone * static_cast<double>(kernel[static_cast<size_t>(bin * kSize + n)]);
      sine += tone * static_cast<double>(kernel[static_cast<size_t>((kBins + bin) * kSize + n)]);
    }
    // The Hann window spreads a tone over the bins beside its own.
    const double expected = bin == 3 ? -4.0 : bin == 2 || bin == 4 ? 2.0 : 0.0;
    EXPECT_NEAR(cosine, 0, 1e-6) << bin;
    EXPECT_NEAR(sine, expected, 1e-6) << bin;
  }
}

TEST(DftKernel, BeginsWithNothing) {
  const std::vector<float> kernel = dft_kernel(8);
  for (size_t row = 0; row < 10; ++row) EXPECT_EQ(kernel[row * 8], 0.0F);
  EXPECT_EQ(kernel[4], 1.0F);  // the middle of the window, at frequency 0
}

}  // namespace
}  // namespace whisper_s4y
