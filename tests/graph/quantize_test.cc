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
using ::testing::HasSubstr;
using testing::numbers_of;

TEST(Int8RowsTest, EachRowHasItsOwnScale) {
  const QuantizedConstant q = int8_rows(rows_of("w", {2, 3}, {127, -127, 1, 0.5F, 0.25F, 0}));
  EXPECT_THAT(q.quantization->scales, ElementsAre(FloatEq(1), FloatEq(0.5F / 127)));
  EXPECT_THAT(numbers_of<int8_t>(*q.data), ElementsAre(127, -127, 1, 127, 64, 0));
}

TEST(Int8RowsTest, NeverUsesMinus128) {
  const QuantizedConstant q = int8_rows(rows_of("w", {1, 2}, {-3, 1}));
  EXPECT_THAT(numbers_of<int8_t>(*q.data), ElementsAre(-127, 42));
}

TEST(Int8RowsTest, ARowOfZerosHasScaleOne) {
  const QuantizedConstant q = int8_rows(rows_of("w", {1, 2}, {0, 0}));
  EXPECT_THAT(q.quantization->scales, ElementsAre(1));
  EXPECT_THAT(numbers_of<int8_t>(*q.data), ElementsAre(0, 0));
}

TEST(Int8RowsTest, ARowOfDenormalsCountsAsZeros) {
  const float tiny = std::numeric_limits<float>::denorm_min();
  const QuantizedConstant q = int8_rows(rows_of("w", {2, 2}, {tiny, -tiny, 1e-38F, 0}));
  EXPECT_THAT(q.quantization->scales, ElementsAre(1, 1));
  EXPECT_THAT(numbers_of<int8_t>(*q.data), ElementsAre(0, 0, 0, 0));
}

TEST(Int8RowsTest, EveryNumberIsWithinHalfAScale) {
  std::mt19937 random(7);
  std::normal_distribution<float> normal;
  std::vector<float> numbers(64 * 33);
  for (float& number : numbers) number = normal(random);
  const QuantizedConstant q = int8_rows(rows_of("w", {64, 33}, numbers));
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

TEST(Int4RowsTest, TheFirstOfTwoNumbersLiesInTheLowHalf) {
  const QuantizedConstant q = int4_rows(rows_of("w", {1, 4}, {7, -7, 1, 0}));
  EXPECT_EQ(q.data->size(), 2U);
  EXPECT_THAT(q.quantization->scales, ElementsAre(FloatEq(1)));
  EXPECT_THAT(numbers_of<uint8_t>(*q.data), ElementsAre(0x97, 0x01));
}

TEST(Int4RowsTest, OddRowsAreRefused) {
  EXPECT_THROW((void)int4_rows(rows_of("w", {2, 3}, {1, 2, 3, 4, 5, 6})), Error);
}

}  // namespace
}  // namespace whisper_s4y
