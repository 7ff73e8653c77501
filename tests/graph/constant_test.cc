#include "graph/constant.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "graph/constant_bytes.h"
#include "whisper_s4y/error.h"

namespace whisper_s4y {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::numbers_of;

/// The numbers 0, 1, 2, ...
Rows counting(Shape shape, std::string name = "counting") {
  std::vector<float> numbers(static_cast<size_t>(element_count(shape)));
  std::iota(numbers.begin(), numbers.end(), 0.0F);
  return rows_of(std::move(name), std::move(shape), std::move(numbers));
}

/// Stored as float32, remembers which rows were released.
class StoredRows : public RowSource {
 public:
  StoredRows(Shape shape, std::vector<float> numbers)
      : shape_(std::move(shape)), numbers_(std::move(numbers)) {}
  [[nodiscard]] const Shape& shape() const override { return shape_; }
  [[nodiscard]] const std::string& name() const override { return name_; }
  void read(int64_t first, int64_t count, std::span<float> out) const override {
    std::copy_n(numbers_.begin() + first * row_size(), count * row_size(), out.begin());
  }
  void release(int64_t first, int64_t count) const override { released.emplace_back(first, count); }
  [[nodiscard]] std::span<const std::byte> stored_as(DType type) const override {
    if (type != DType::f32) return {};
    return std::as_bytes(std::span(numbers_));
  }
  [[nodiscard]] std::optional<Origin> origin() const override { return Origin{.tensor = name_}; }

  mutable std::vector<std::pair<int64_t, int64_t>> released;

 private:
  std::string name_ = "stored";
  Shape shape_;
  std::vector<float> numbers_;
};

TEST(ColumnsDividedTest, EachColumnHasItsDivisor) {
  const Rows matrix = rows_of("w", {2, 2}, {1, 2, 3, 4});
  const Rows divided = columns_divided(matrix, rows_of("f", {2}, {2, 0.5F}));
  EXPECT_THAT(numbers_of(divided), ::testing::ElementsAre(0.5F, 4, 1.5F, 8));
  EXPECT_THROW((void)columns_divided(matrix, rows_of("f", {1}, {1})), Error);
}

TEST(ColumnsShiftedTest, EachColumnHasItsOffset) {
  const Rows matrix = rows_of("w", {2, 2}, {1, 2, 3, 4});
  const Rows shifted = columns_shifted(matrix, rows_of("o", {1, 2}, {2, 0.5F}));
  EXPECT_THAT(numbers_of(shifted), ::testing::ElementsAre(-1, 1.5F, 1, 3.5F));
  EXPECT_THROW((void)columns_shifted(matrix, rows_of("o", {1}, {1})), Error);
}

TEST(ColumnsSpreadTest, SpreadingTwiceChangesNothing) {
  const Rows matrix = rows_of("w", {2, 4}, {1, 2, 3, 4, 5, 6, 7, 9});
  EXPECT_THAT(numbers_of(columns_spread(columns_spread(matrix))),
              ::testing::Pointwise(::testing::FloatNear(1e-5F), numbers_of(matrix)));
  EXPECT_THROW((void)columns_spread(rows_of("w", {4}, {1, 2, 3, 4})), Error);
}

TEST(ColumnsChangedBeforeTest, AreNamedAsIfTheyWereChangedHere) {
  const Rows matrix = std::make_shared<StoredRows>(Shape{2, 2}, std::vector<float>{1, 2, 3, 4});
  const Rows offsets = rows_of("o", {1, 2}, {2, 0.5F});
  const Rows divisors = rows_of("d", {2}, {2, 4});
  const Rows changed = columns_divided(columns_shifted(matrix, offsets), divisors);
  for (const bool are_spread : {false, true}) {
    const Rows wanted = are_spread ? columns_spread(changed) : changed;
    const Rows before = columns_changed_before(matrix, offsets, divisors, are_spread);
    EXPECT_EQ(before->name(), wanted->name());
    EXPECT_EQ(numbers_of(before), numbers_of(matrix));
    ASSERT_TRUE(before->origin());
    EXPECT_EQ(before->origin()->tensor, "stored");
    EXPECT_EQ(before->origin()->offsets, "o");
    EXPECT_EQ(before->origin()->divisors, "d");
    EXPECT_EQ(before->origin()->spread, are_spread);
  }
  EXPECT_EQ(columns_changed_before(matrix, nullptr, divisors, true)->name(),
            columns_spread(columns_divided(matrix, divisors))->name());
}

TEST(RowSourceTest, NumbersMustFillTheShape) {
  EXPECT_THROW((void)rows_of("w", {2, 2}, {1, 2, 3}), Error);
}

TEST(RowSourceTest, ScaledMultipliesEveryNumber) {
  EXPECT_THAT(numbers_of(scaled(counting({2, 2}), 0.5F)), ElementsAre(0, 0.5F, 1, 1.5F));
}

TEST(RowSourceTest, ConvKernelPutsInputChannelsLast) {
  const Rows kernel = conv_kernel(counting({2, 2, 3}));  // [out, in, taps]
  EXPECT_EQ(kernel->shape(), (Shape{2, 1, 3, 2}));
  EXPECT_THAT(numbers_of(kernel), ElementsAre(0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11));
}

TEST(RowSourceTest, ConvKernelNeedsThreeDimensions) {
  try {
    (void)conv_kernel(counting({2, 2}, "conv1"));
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), ::testing::AllOf(HasSubstr("conv1"), HasSubstr("[2, 2]")));
  }
}

TEST(RowSourceTest, JoinedPutsRowsOneAfterAnother) {
  const Rows rows = joined({counting({1, 2}), scaled(counting({2, 2}), 10), counting({1, 2})});
  EXPECT_EQ(rows->shape(), (Shape{4, 2}));
  EXPECT_THAT(numbers_of(rows), ElementsAre(0, 1, 0, 10, 20, 30, 0, 1));
}

TEST(RowSourceTest, JoinedReadsAcrossItsSeams) {
  const Rows rows = joined({counting({2, 1}), counting({3, 1}), counting({1, 1})});
  std::vector<float> middle(4);
  rows->read(1, 4, middle);
  EXPECT_THAT(middle, ElementsAre(1, 0, 1, 2));
}

TEST(RowSourceTest, JoinedNamesBothShapes) {
  try {
    (void)joined({counting({1, 2}), counting({1, 3})});
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), ::testing::AllOf(HasSubstr("[1, 2]"), HasSubstr("[1, 3]")));
  }
}

TEST(RowSourceTest, ReshapedRegroupsRows) {
  const Rows rows = reshaped(counting({4, 2}), {2, 2, 2});
  std::vector<float> second(4);
  rows->read(1, 1, second);
  EXPECT_THAT(second, ElementsAre(4, 5, 6, 7));
}

TEST(RowSourceTest, ReshapedKeepsTheCount) {
  EXPECT_THROW((void)reshaped(counting({4, 2}), {3, 3}), Error);
  EXPECT_THROW((void)reshaped(counting({2, 4}), {4, 2}), Error);  // rows cannot be cut
}

TEST(RowSourceTest, RowRangeTakesRows) {
  const Rows rows = row_range(counting({4, 2}), 1, 2);
  EXPECT_EQ(rows->shape(), (Shape{2, 2}));
  EXPECT_THAT(numbers_of(rows), ElementsAre(2, 3, 4, 5));
}

TEST(RowSourceTest, RowRangeStaysInside) {
  EXPECT_THROW((void)row_range(counting({4, 2}), 3, 2), Error);
  EXPECT_THROW((void)row_range(counting({4, 2}), -1, 2), Error);
  EXPECT_THROW((void)row_range(counting({4, 2}), 0, 0), Error);
}

TEST(RowSourceTest, NamesTellTransformsApart) {
  const Rows w = counting({4, 2}, "w");
  EXPECT_NE(scaled(w, 2)->name(), scaled(w, 3)->name());
  EXPECT_NE(row_range(w, 0, 2)->name(), row_range(w, 2, 2)->name());
  EXPECT_NE(reshaped(w, {2, 4})->name(), w->name());
  EXPECT_NE(joined({w, w})->name(), w->name());
}

TEST(FloatConstantTest, StoredBytesAreTakenAsTheyAre) {
  const auto rows = std::make_shared<StoredRows>(Shape{2, 2}, std::vector<float>{1, 2, 3, 4});
  EXPECT_THAT(numbers_of<float>(*float_constant(rows, DType::f32)), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(rows->released, ElementsAre(std::pair(0, 2)));
}

TEST(FloatConstantTest, RangesAndViewsOfStoredBytesAreStoredToo) {
  const auto rows = std::make_shared<StoredRows>(Shape{4, 1}, std::vector<float>{1, 2, 3, 4});
  EXPECT_EQ(row_range(rows, 1, 2)->stored_as(DType::f32).size(), 8U);
  EXPECT_THAT(numbers_of(row_range(rows, 1, 2)), ElementsAre(2, 3));
  EXPECT_EQ(reshaped(rows, {2, 2})->stored_as(DType::f32).size(), 16U);
  EXPECT_THAT(row_range(rows, 1, 2)->stored_as(DType::f16), IsEmpty());
  EXPECT_THAT(scaled(rows, 2)->stored_as(DType::f32), IsEmpty());
}

TEST(FloatConstantTest, HalvesTakeTwoBytes) {
  const auto data = float_constant(counting({3}), DType::f16);
  EXPECT_EQ(data->size(), 6U);
  EXPECT_THAT(numbers_of<uint16_t>(*data), ElementsAre(0x0000, 0x3C00, 0x4000));
}

TEST(FloatConstantTest, OnlyFloatTypes) {
  EXPECT_THROW((void)float_constant(counting({3}), DType::i8), Error);
}

TEST(FloatConstantTest, LargeSourcesAreVisitedInWholeRows) {
  const Rows rows = counting({700, 1000});
  int64_t seen = 0;
  int pieces = 0;
  for_each_rows(*rows, [&](int64_t first, std::span<const float> numbers) {
    EXPECT_EQ(first, seen);
    EXPECT_EQ(numbers.size() % 1000, 0U);
    EXPECT_EQ(numbers.front(), static_cast<float>(first * 1000));
    seen += static_cast<int64_t>(numbers.size() / 1000);
    ++pieces;
  });
  EXPECT_EQ(seen, 700);
  EXPECT_GT(pieces, 1);
}

}  // namespace
}  // namespace whisper_s4y
