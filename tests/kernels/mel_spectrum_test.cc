#include "kernels/mel_spectrum.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>
#include <random>
#include <vector>

#include "random_weights.h"
#include "targets_test.h"

namespace whisper_s4y {
namespace {

constexpr size_t kHop = 24;
constexpr float kLeast = 1e-10F;

class MelSpectrumTest : public testing::TestWithParam<size_t> {
 protected:
  MelSpectrumTest() {
    std::mt19937 random(1);
    std::uniform_real_distribution<float> weight(0.1F, 1.0F);
    for (size_t n = 0; n < size_; ++n) {
      window_.push_back(0.5 - 0.5 * std::cos(2 * std::numbers::pi * static_cast<double>(n) /
                                             static_cast<double>(size_)));
    }
    // The last filter lets nothing through.
    filters_.resize((kFilters + 1) * frequencies_);
    for (size_t filter = 0; filter < kFilters; ++filter) {
      for (size_t f = filter; f < std::min(2 * filter + 2, frequencies_); ++f) {
        filters_[filter * frequencies_ + f] = weight(random);
      }
      filters_[filter * frequencies_ + frequencies_ - 1] = weight(random);
    }
    samples_ = random_floats((MelSpectrum::kFrames - 1) * kHop + size_, random);
  }

  [[nodiscard]] double expected(size_t filter, size_t frame) const {
    double energy = 0;
    for (size_t f = 0; f < frequencies_; ++f) {
      std::complex<double> sum = 0;
      for (size_t n = 0; n < size_; ++n) {
        const double angle =
            -2 * std::numbers::pi * static_cast<double>(f * n % size_) / static_cast<double>(size_);
        sum += samples_[frame * kHop + n] * window_[n] * std::polar(1.0, angle);
      }
      energy += filters_[filter * frequencies_ + f] * std::norm(sum);
    }
    return std::log10(std::max<double>(energy, kLeast));
  }

  static constexpr size_t kFilters = 9;
  size_t size_ = GetParam();
  size_t frequencies_ = size_ / 2 + 1;
  std::vector<double> window_;
  std::vector<float> filters_;
  std::vector<float> samples_;
};

TEST_P(MelSpectrumTest, IsThatOfTheTransformWrittenOut) {
  for_each_target([&] {
    const MelSpectrum spectrum(window_, filters_);
    ASSERT_EQ(spectrum.filters(), kFilters + 1);
    MelSpectrum::Scratch scratch;
    std::vector<float> out((kFilters + 1) * MelSpectrum::kFrames);
    const float largest = spectrum.logs(samples_.data(), kHop, MelSpectrum::kFrames, kLeast,
                                        scratch, out.data(), MelSpectrum::kFrames);
    for (size_t filter = 0; filter <= kFilters; ++filter) {
      for (size_t frame = 0; frame < MelSpectrum::kFrames; ++frame) {
        ASSERT_NEAR(out[filter * MelSpectrum::kFrames + frame], expected(filter, frame), 2e-6)
            << filter << ", " << frame;
      }
    }
    EXPECT_EQ(largest, *std::ranges::max_element(out));
  });
}

TEST_P(MelSpectrumTest, LeavesFramesAloneThatAreNotAskedFor) {
  std::fill(samples_.begin() + static_cast<ptrdiff_t>(4 * kHop + size_), samples_.end(), 1000.0F);
  for_each_target([&] {
    const MelSpectrum spectrum(window_, filters_);
    MelSpectrum::Scratch scratch;
    std::vector<float> out((kFilters + 1) * 7, -1.0F);
    const float largest = spectrum.logs(samples_.data(), kHop, 5, kLeast, scratch, out.data(), 7);
    for (size_t filter = 0; filter <= kFilters; ++filter) {
      EXPECT_NEAR(out[filter * 7 + 4], expected(filter, 4), 2e-6);
      EXPECT_EQ(out[filter * 7 + 5], -1.0F);
      EXPECT_EQ(out[filter * 7 + 6], -1.0F);
    }
    EXPECT_EQ(largest, *std::ranges::max_element(out));
  });
}

INSTANTIATE_TEST_SUITE_P(Sizes, MelSpectrumTest, testing::Values(20, 40, 64, 400));

TEST(ClampAndScale, ChangesEachValue) {
  for_each_target([] {
    std::vector<float> values(21, 1.0F);
    values[3] = -7.0F;
    values[20] = 4.0F;
    clamp_and_scale(values, -2.0F, 4.0F, 0.25F);
    EXPECT_EQ(values[0], 1.25F);
    EXPECT_EQ(values[3], 0.5F);
    EXPECT_EQ(values[19], 1.25F);
    EXPECT_EQ(values[20], 2.0F);
  });
}

}  // namespace
}  // namespace whisper_s4y
