#include "common/half.h"

#include <gmock/gmock.h>

#include <bit>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

namespace whisper_s4y {
namespace {

using testing::Each;
using testing::ElementsAre;

constexpr size_t kHalves = 1 << 16;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

std::vector<uint16_t> all_halves() {
  std::vector<uint16_t> halves(kHalves);
  for (size_t i = 0; i < kHalves; ++i) halves[i] = static_cast<uint16_t>(i);
  return halves;
}

/// IEEE 754's definition of binary16.
float defined_value(uint16_t half) {
  const int exponent = (half >> 10) & 31;
  const int mantissa = half & 1023;
  float value = 0;
  if (exponent == 31) {
    value = mantissa == 0 ? kInfinity : std::numeric_limits<float>::quiet_NaN();
  } else {
    value = exponent == 0 ? std::ldexp(static_cast<float>(mantissa), -24)
                          : std::ldexp(static_cast<float>(1024 + mantissa), exponent - 25);
  }
  return (half & 0x8000) != 0 ? -value : value;
}

bool same(float a, float b) {
  return (std::isnan(a) && std::isnan(b)) ||
         std::bit_cast<uint32_t>(a) == std::bit_cast<uint32_t>(b);
}

std::vector<float> to_floats(const std::vector<uint16_t>& halves) {
  std::vector<float> floats(halves.size());
  half_to_float(halves, floats);
  return floats;
}

std::vector<uint16_t> to_halves(const std::vector<float>& floats) {
  std::vector<uint16_t> halves(floats.size());
  float_to_half(floats, halves);
  return halves;
}

uint16_t alone(float value) { return to_halves({value}).front(); }

TEST(HalfTest, EveryHalfIsItsFloat) {
  const std::vector<uint16_t> halves = all_halves();
  const std::vector<float> floats = to_floats(halves);
  for (size_t i = 0; i < kHalves; ++i) {
    ASSERT_TRUE(same(floats[i], defined_value(halves[i])))
        << "half " << i << " became " << floats[i];
    // One number has no vector to itself.
    ASSERT_TRUE(same(to_floats({halves[i]}).front(), floats[i])) << "half " << i << " alone";
  }
}

TEST(HalfTest, EveryFloatOfAHalfComesBack) {
  const std::vector<uint16_t> halves = all_halves();
  const std::vector<float> floats = to_floats(halves);
  const std::vector<uint16_t> back = to_halves(floats);
  for (size_t i = 0; i < kHalves; ++i) {
    if (std::isnan(floats[i])) {
      ASSERT_TRUE(std::isnan(defined_value(back[i]))) << "half " << i;
    } else {
      ASSERT_EQ(back[i], halves[i]);
      ASSERT_EQ(alone(floats[i]), halves[i]);
    }
  }
}

TEST(HalfTest, HalfwayGoesToTheEvenNeighbour) {
  for (uint16_t half = 0; half < 0x7BFF; ++half) {
    const float low = defined_value(half);
    const float high = defined_value(static_cast<uint16_t>(half + 1));
    const float middle = low + (high - low) / 2;  // exact
    const auto even = static_cast<uint16_t>(half + (half & 1));
    const float below = std::nextafter(middle, 0.0F);
    const float above = std::nextafter(middle, kInfinity);
    ASSERT_THAT(
        to_halves({middle, below, above, -middle, middle, below, above, -middle}),
        ElementsAre(even, half, half + 1, even | 0x8000, even, half, half + 1, even | 0x8000));
    ASSERT_EQ(alone(middle), even);
    ASSERT_EQ(alone(below), half);
    ASSERT_EQ(alone(above), half + 1);
  }
}

TEST(HalfTest, WhatIsTooLargeIsInfinite) {
  EXPECT_THAT(to_halves(std::vector<float>(9, 65520.0F)), Each(0x7C00));
  EXPECT_THAT(to_halves(std::vector<float>(9, 65519.99F)), Each(0x7BFF));
  EXPECT_THAT(to_halves(std::vector<float>(9, -1e30F)), Each(0xFC00));
  EXPECT_THAT(to_halves(std::vector<float>(9, kInfinity)), Each(0x7C00));
}

TEST(HalfTest, BFloat16IsTheUpperHalfOfAFloat) {
  const std::vector<uint16_t> numbers{0x3F80, 0xC040, 0x0001, 0x7F80};
  std::vector<float> floats(numbers.size());
  bfloat16_to_float(numbers, floats);
  EXPECT_THAT(floats, ElementsAre(1.0F, -3.0F, std::bit_cast<float>(0x00010000U), kInfinity));
}

}  // namespace
}  // namespace whisper_s4y
