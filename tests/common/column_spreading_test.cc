#include "common/column_spreading.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace whisper_s4y {
namespace {

using ::testing::Each;
using ::testing::FloatNear;
using ::testing::Pointwise;

/// 384 and 1280 are widths of Whisper models that are no powers of two.
class Spreading : public ::testing::TestWithParam<size_t> {
 protected:
  std::vector<float> row() const {
    std::vector<float> numbers(GetParam());
    for (size_t i = 0; i < numbers.size(); ++i) {
      numbers[i] = std::sin(static_cast<float>(i * i) + 0.5F) + 0.25F;
    }
    return numbers;
  }
  ColumnSpreading spreading_{GetParam()};
};

INSTANTIATE_TEST_SUITE_P(Widths, Spreading, ::testing::Values(1, 3, 20, 64, 384, 512, 1280));

TEST_P(Spreading, IsItsOwnInverse) {
  std::vector<float> twice = row();
  spreading_.apply(twice);
  spreading_.apply(twice);
  EXPECT_THAT(twice, Pointwise(FloatNear(1e-5F), row()));
}

TEST_P(Spreading, KeepsLengths) {
  std::vector<float> spread = row();
  spreading_.apply(spread);
  const std::vector<float> before = row();
  const auto squares = [](const std::vector<float>& numbers) {
    return std::inner_product(numbers.begin(), numbers.end(), numbers.begin(), 0.0);
  };
  EXPECT_NEAR(squares(spread) / squares(before), 1, 1e-5);
}

TEST_P(Spreading, TakesRowsOneByOne) {
  std::vector<float> rows = row();
  rows.insert(rows.end(), rows.begin(), rows.end());
  std::vector<float> alone = row();
  spreading_.apply(rows);
  spreading_.apply(alone);
  alone.insert(alone.end(), alone.begin(), alone.end());
  EXPECT_EQ(rows, alone);
}

TEST_P(Spreading, IsWhatItsFactorsGive) {
  const ColumnSpreading::Factors factors = spreading_.factors();
  const size_t width = GetParam();
  const size_t inner = factors.inner_width;
  const size_t outer = width / inner;
  const auto transformed = [&](const std::vector<float>& x) {
    std::vector<float> y(width, 0.0F);
    for (size_t to = 0; to < width; ++to) {
      for (size_t from = 0; from < width; ++from) {
        y[to] += factors.outer[to / inner * outer + from / inner] *
                 factors.inner[to % inner * inner + from % inner] * x[from];
      }
    }
    return y;
  };
  std::vector<float> expected = transformed(row());
  for (size_t i = 0; i < width; ++i) expected[i] *= spreading_.signs()[i];
  expected = transformed(expected);
  std::vector<float> spread = row();
  spreading_.apply(spread);
  EXPECT_THAT(spread, Pointwise(FloatNear(1e-4F), expected));
}

TEST(ColumnSpreading, LeavesNothingOfAColumnThatIsLargerThanTheOthers) {
  for (const size_t column : {0U, 7U, 511U}) {
    std::vector<float> row(512, 0.0F);
    row[column] = 1;
    ColumnSpreading(row.size()).apply(row);
    EXPECT_THAT(row, Each(FloatNear(0, 0.2F)));
  }
  // Nor of what all columns have in common.
  std::vector<float> ones(512, 1.0F);
  ColumnSpreading(ones.size()).apply(ones);
  EXPECT_THAT(ones, Each(FloatNear(0, 4.5F)));
}

}  // namespace
}  // namespace whisper_s4y
