#include "kernels/products.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <tuple>
#include <vector>

#include "kernels/vnni.h"
#include "random_weights.h"
#include "targets_test.h"

namespace whisper_s4y {
namespace {

using Multiply = decltype(&multiply);

/// Compares a product with one in double.
void check(const Weights& weights, size_t rows, Multiply product, bool add, std::mt19937& random) {
  const StoredMatrix& matrix = weights.matrix;
  const std::vector<float> in = random_floats(rows * matrix.columns, random);
  const std::vector<float> bias = random_floats(matrix.rows, random);
  PreparedRows prepared(rows, matrix.columns);
  PreparedRows::Forms forms;
  forms.add(matrix);
  for (size_t r = 0; r < rows; ++r) prepared.set(r, in.data() + r * matrix.columns, forms);
  std::vector<float> out(rows * matrix.rows, 2.0F);
  const size_t middle = matrix.rows / 3;  // in two parts, as two threads would
  const ProductTarget target{
      .out = out.data(), .stride = matrix.rows, .bias = bias.data(), .add = add};
  product(matrix, prepared, rows, 0, middle, target);
  product(matrix, prepared, rows, middle, matrix.rows, target);
  for (size_t r = 0; r < rows; ++r) {
    for (size_t o = 0; o < matrix.rows; ++o) {
      double sum = 0;
      double magnitude = 0;
      for (size_t i = 0; i < matrix.columns; ++i) {
        const double term = static_cast<double>(in[r * matrix.columns + i]) *
                            weights.values[o * matrix.columns + i];
        sum += term;
        magnitude += std::abs(term);
      }
      const double expected = sum + bias[o] + (add ? 2.0 : 0.0);
      // Activations have 13 bits or more; floats add up in another order.
      ASSERT_NEAR(out[r * matrix.rows + o], expected, magnitude * 1e-4 + 1e-5)
          << "row " << r << ", output " << o;
    }
  }
}

class ProductsTest : public testing::TestWithParam<std::tuple<WeightKind, size_t>> {};

TEST_P(ProductsTest, AreWhatSumsOfProductsAre) {
  const auto [kind, columns] = GetParam();
  std::mt19937 random(1);
  const Weights weights(kind, 21, columns, random);
  for (const size_t rows : {1, 2, 3, 5, 9}) {
    SCOPED_TRACE(rows);
    for_each_target([&] { check(weights, rows, multiply_portably, rows % 2 == 0, random); });
    check(weights, rows, multiply, false, random);
  }
}

INSTANTIATE_TEST_SUITE_P(Integers4, ProductsTest,
                         testing::Combine(testing::Values(WeightKind::i4),
                                          testing::Values(32, 64, 416)));
INSTANTIATE_TEST_SUITE_P(All, ProductsTest,
                         testing::Combine(testing::Values(WeightKind::f32, WeightKind::f16,
                                                          WeightKind::i8),
                                          testing::Values(8, 31, 64, 100, 384, 513)));

// Whatever the activations are, sums of integers stay inside 32 bits.
TEST(PreparedRowsTest, LeaveRoomForTheLargestSums) {
  constexpr size_t kColumns = 5120;
  std::mt19937 random(1);
  Weights weights(WeightKind::i8, 4, kColumns, random);
  weights.bytes.assign(weights.bytes.size(), static_cast<std::byte>(-128));
  weights.matrix.bytes = weights.bytes.data();
  weights.matrix.row_scales.assign(4, 1.0F);
  const std::vector<float> in(kColumns, -3.0F);
  PreparedRows prepared(1, kColumns);
  prepared.set(0, in.data(), {.integers = true});
  std::vector<float> out(4);
  const double expected = 128.0 * 3.0 * kColumns;
  for_each_target([&] {
    multiply_portably(weights.matrix, prepared, 1, 0, 4, {.out = out.data(), .stride = 4});
    EXPECT_NEAR(out[3], expected, expected * 1e-3);
  });
  multiply(weights.matrix, prepared, 1, 0, 4, {.out = out.data(), .stride = 4});
  EXPECT_NEAR(out[3], expected, expected * 1e-3);
}

TEST(PreparedRowsTest, TakeZerosAndNumbersThatAreNone) {
  std::mt19937 random(1);
  const Weights weights(WeightKind::i8, 4, 64, random);
  PreparedRows prepared(1, 64);
  std::vector<float> out(4, 1.0F);
  std::vector<float> in(64);
  prepared.set(0, in.data(), {.integers = true});
  multiply(weights.matrix, prepared, 1, 0, 4, {.out = out.data(), .stride = 4});
  EXPECT_EQ(out, std::vector<float>(4));
  in[3] = std::nanf("");
  in[7] = INFINITY;
  prepared.set(0, in.data(), {.integers = true});  // no trap
  multiply(weights.matrix, prepared, 1, 0, 4, {.out = out.data(), .stride = 4});
}

}  // namespace
}  // namespace whisper_s4y
