#include "graph/quantize.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "graph/constant_bytes.h"
#include "whisper_s4y/error.h"

namespace whisper_s4y {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatEq;
using ::testing::FloatNear;
using ::testing::HasSubstr;
using testing::numbers_of;

TEST(Int8RowsTest, EachRowHasItsOwnScale) {
  const Int8Rows q = int8_rows(rows_of("w", {2, 3}, {127, -127, 1, 0.5F, 0.25F, 0}));
  EXPECT_THAT(q.quantization->scales, ElementsAre(FloatEq(1), FloatEq(0.5F / 127)));
  EXPECT_THAT(numbers_of<int8_t>(*q.data), ElementsAre(127, -127, 1, 127, 64, 0));
}

TEST(Int8RowsTest, NeverUsesMinus128) {
  const Int8Rows q = int8_rows(rows_of("w", {1, 2}, {-3, 1}));
  EXPECT_THAT(numbers_of<int8_t>(*q.data), ElementsAre(-127, 42));
}

TEST(Int8RowsTest, ARowOfZerosHasScaleOne) {
  const Int8Rows q = int8_rows(rows_of("w", {1, 2}, {0, 0}));
  EXPECT_THAT(q.quantization->scales, ElementsAre(1));
  EXPECT_THAT(numbers_of<int8_t>(*q.data), ElementsAre(0, 0));
}

TEST(Int8RowsTest, ARowOfDenormalsCountsAsZeros) {
  const float tiny = std::numeric_limits<float>::denorm_min();
  const Int8Rows q = int8_rows(rows_of("w", {2, 2}, {tiny, -tiny, 1e-38F, 0}));
  EXPECT_THAT(q.quantization->scales, ElementsAre(1, 1));
  EXPECT_THAT(numbers_of<int8_t>(*q.data), ElementsAre(0, 0, 0, 0));
}

TEST(Int8RowsTest, EveryNumberIsWithinHalfAScale) {
  std::mt19937 random(7);
  std::normal_distribution<float> normal;
  std::vector<float> numbers(64 * 33);
  for (float& number : numbers) number = normal(random);
  const Int8Rows q = int8_rows(rows_of("w", {64, 33}, numbers));
  const std::vector<int8_t> stored = numbers_of<int8_t>(*q.data);
  ASSERT_EQ(stored.size(), numbers.size());
  for (size_t i = 0; i < numbers.size(); ++i) {
    const float scale = q.quantization->scales[i / 33];
    EXPECT_NEAR(static_cast<float>(stored[i]) * scale, numbers[i], scale * 0.5001F);
  }
}

TEST(Int8RowsTest, NumbersThatAreNotFiniteAreRefusedByName) {
  for (const float bad :
       {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
    try {
      (void)int8_rows(rows_of("layer.weight", {2, 2}, {1, 2, 3, bad}));
      FAIL() << bad;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), ::testing::AllOf(HasSubstr("layer.weight"), HasSubstr("row 1")));
    }
  }
}

std::vector<float> block_of(float first, float second, float others) {
  std::vector<float> numbers(kInt4Block, others);
  numbers[0] = first;
  numbers[1] = second;
  return numbers;
}

TEST(Int4BlocksTest, TheFirstOfTwoNumbersLiesInTheLowHalf) {
  const Int4Blocks q = int4_blocks(rows_of("w", {1, kInt4Block}, block_of(7, -7, 1)));
  const std::vector<uint8_t> bytes = numbers_of<uint8_t>(*q.data);
  ASSERT_EQ(bytes.size(), kInt4Block / 2U);
  EXPECT_EQ(bytes[0], 0x97);
  EXPECT_EQ(bytes[1], 0x11);
  EXPECT_THAT(numbers_of(q.scales), ElementsAre(1));
}

TEST(Int4BlocksTest, EachBlockHasItsOwnScale) {
  std::vector<float> numbers = block_of(7, 7, 1);
  for (const float number : block_of(0.875F, 0.875F, 0.125F)) numbers.push_back(number);
  const Int4Blocks q = int4_blocks(rows_of("w", {1, 2 * kInt4Block}, numbers));
  EXPECT_EQ(q.scales->shape(), (Shape{1, 2}));
  EXPECT_THAT(numbers_of(q.scales), ElementsAre(1, 0.125F));
}

TEST(Int4BlocksTest, TheLargestNumberIsCutWhereThatHelpsTheOthers) {
  // With 8 / 7 as scale the 1 would be 1.14: -8 fits with scale 1.
  const Int4Blocks q = int4_blocks(rows_of("w", {1, kInt4Block}, block_of(-8, 1, 1)));
  EXPECT_THAT(numbers_of(q.scales), ElementsAre(1));
  EXPECT_EQ(numbers_of<uint8_t>(*q.data)[0], 0x18);
}

TEST(Int4BlocksTest, ABlockOfZerosStaysZeros) {
  const Int4Blocks q = int4_blocks(rows_of("w", {1, kInt4Block}, block_of(0, 0, 0)));
  EXPECT_GT(numbers_of(q.scales)[0], 0);
  EXPECT_THAT(numbers_of<uint8_t>(*q.data), ::testing::Each(0));
}

TEST(Int4BlocksTest, IsNoWorseThanTheLargestNumberOverSeven) {
  std::mt19937 random(7);
  std::normal_distribution<float> normal;
  std::vector<float> numbers(64 * kInt4Block);
  for (float& number : numbers) number = normal(random);
  const Int4Blocks q = int4_blocks(rows_of("w", {64, kInt4Block}, numbers));
  const std::vector<float> scales = numbers_of(q.scales);
  const std::vector<uint8_t> bytes = numbers_of<uint8_t>(*q.data);
  double error = 0;
  double plain_error = 0;
  for (size_t row = 0; row < 64; ++row) {
    const auto block = std::span(numbers).subspan(row * kInt4Block, kInt4Block);
    float maximum = 0;
    for (const float number : block) maximum = std::max(maximum, std::abs(number));
    const float plain = maximum / 7;
    for (size_t i = 0; i < kInt4Block; ++i) {
      const uint8_t byte = bytes[(row * kInt4Block + i) / 2];
      const int nibble = i % 2 == 0 ? byte & 0x0F : byte >> 4;
      const auto integer = static_cast<float>(nibble < 8 ? nibble : nibble - 16);
      error += std::pow(integer * scales[row] - block[i], 2);
      plain_error += std::pow(std::nearbyint(block[i] / plain) * plain - block[i], 2);
    }
  }
  EXPECT_LT(error, 0.9 * plain_error);
}

TEST(ColumnMomentsTest, NumbersThatAreNotFiniteAreRefused) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Rows source = rows_of("w", {2, 2}, {1, 2, nan, 4});
  EXPECT_THROW((void)column_moments(*source), Error);
}

TEST(ColumnMomentsTest, AreMeansAndDeviations) {
  const ColumnMoments moments = column_moments(*rows_of("w", {2, 3}, {1, 3, 5, -1, 4, 5}));
  EXPECT_THAT(moments.means, ElementsAre(FloatEq(0), FloatEq(3.5F), FloatEq(5)));
  EXPECT_THAT(moments.deviations, ElementsAre(FloatEq(1), FloatEq(0.5F), FloatEq(0)));
}

TEST(Int4BlocksTest, RowsThatAreNoWholeBlocksAreRefused) {
  EXPECT_THROW((void)int4_blocks(rows_of("w", {2, 3}, {1, 2, 3, 4, 5, 6})), Error);
}

TEST(Int4BlocksTest, NumbersThatAreNotFiniteAreRefused) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THROW((void)int4_blocks(rows_of("w", {1, kInt4Block}, block_of(0, nan, 0))), Error);
}

}  // namespace
}  // namespace whisper_s4y
