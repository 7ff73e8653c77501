#include "kernels/panels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <tuple>
#include <vector>

#include "kernels/row_ops.h"
#include "random_weights.h"
#include "targets_test.h"

namespace whisper_s4y {
namespace {

using Case = std::tuple<WeightKind, NumberForm, size_t>;  // the last are columns

class PanelTest : public testing::TestWithParam<Case> {
 protected:
  /// What one product of a number near 1 and a weight is off by, as part of the weight: some five
  /// standard deviations of what is rounded away.
  [[nodiscard]] static double tolerance() {
    switch (std::get<NumberForm>(GetParam())) {
      case NumberForm::floats:
        return 2e-6;
      case NumberForm::shorts:
      case NumberForm::tiled_shorts:
        return std::get<WeightKind>(GetParam()) == WeightKind::i8 ? 4e-4 : 3e-3;
      case NumberForm::bytes:
      case NumberForm::tiled_bytes:
        break;
    }
    return 0.04;
  }
};

TEST_P(PanelTest, MultipliesRows) {
  const auto [kind, form, columns] = GetParam();
  constexpr size_t kOutputs = 150;  // two panels and a part of one
  constexpr size_t kRows = 39;      // a block, two tiles and a part of one
  constexpr size_t kMiddle = 12;    // in two parts, as two threads would
  std::mt19937 random(1);
  const Weights weights(kind, kOutputs, columns, random);
  const std::vector<float> in = random_floats(kRows * columns, random);
  const std::vector<float> bias = random_floats(kOutputs, random);
  for_each_target([&, form = form, columns = columns] {
    if (!can_multiply(form)) return;
    PanelRows rows;
    rows.use(form, kRows, columns);
    for (size_t r = 0; r < kRows; ++r) rows.set(r, in.data() + r * columns);
    for (const bool further : {false, true}) {  // bias, gelu and add
      std::vector<float> out(kRows * kOutputs, 2.0F);
      const PanelTarget target{.out = out.data(),
                               .stride = kOutputs,
                               .bias = further ? bias.data() : nullptr,
                               .gelu = further,
                               .add = further};
      Panel panel;
      for (size_t first = 0; first < kOutputs; first += kPanelOutputs) {
        panel.pack(weights.matrix, first, form);
        panel.multiply(rows.view(), 0, kMiddle, target);
        panel.multiply(rows.view(), kMiddle, kRows, target);
      }
      for (size_t r = 0; r < kRows; ++r) {
        for (size_t o = 0; o < kOutputs; ++o) {
          double expected = further ? bias[o] : 0;
          double square = 0;
          for (size_t i = 0; i < columns; ++i) {
            const double weight = weights.values[o * columns + i];
            expected += in[r * columns + i] * weight;
            square += weight * weight;
          }
          if (further) expected = expected / 2 * (1 + std::erf(expected / std::sqrt(2.0))) + 2;
          ASSERT_NEAR(out[r * kOutputs + o], expected, tolerance() * std::sqrt(square) + 1e-5)
              << r << ", " << o;
        }
      }
    }
  });
}

INSTANTIATE_TEST_SUITE_P(Kinds, PanelTest,
                         testing::Combine(testing::Values(WeightKind::f32, WeightKind::f16,
                                                          WeightKind::i8),
                                          testing::Values(NumberForm::floats, NumberForm::shorts,
                                                          NumberForm::tiled_shorts),
                                          testing::Values<size_t>(1, 3, 64, 130, 384)));
INSTANTIATE_TEST_SUITE_P(Bytes, PanelTest,
                         testing::Combine(testing::Values(WeightKind::i8),
                                          testing::Values(NumberForm::bytes,
                                                          NumberForm::tiled_bytes),
                                          testing::Values<size_t>(1, 3, 64, 131, 384)));
INSTANTIATE_TEST_SUITE_P(Blocks, PanelTest,
                         testing::Combine(testing::Values(WeightKind::i4),
                                          testing::Values(NumberForm::floats, NumberForm::shorts,
                                                          NumberForm::tiled_shorts),
                                          testing::Values<size_t>(32, 160)));

class PanelRowsTest : public testing::TestWithParam<NumberForm> {};

TEST_P(PanelRowsTest, TakeZerosAndWhatIsVeryLarge) {
  constexpr size_t kColumns = 130;
  std::mt19937 random(1);
  const Weights weights(WeightKind::i8, 5, kColumns, random);
  for_each_target([&] {
    if (!can_multiply(GetParam())) return;
    PanelRows rows;
    rows.use(GetParam(), 2, kColumns);
    rows.set(0, std::vector<float>(kColumns).data());
    const std::vector<float> large(kColumns, 1e30F);
    rows.set(1, large.data());
    std::vector<float> out(10, -1.0F);
    Panel panel;
    panel.pack(weights.matrix, 0, GetParam());
    panel.multiply(rows.view(), 0, 2, {.out = out.data(), .stride = 5});
    for (size_t o = 0; o < 5; ++o) {
      EXPECT_EQ(out[o], 0);
      double expected = 0;
      double square = 0;
      for (size_t i = 0; i < kColumns; ++i) {
        expected += weights.values[o * kColumns + i] * 1e30;
        square += std::pow(weights.values[o * kColumns + i], 2);
      }
      EXPECT_NEAR(out[5 + o] / 1e30, expected / 1e30, 1e-2 * std::sqrt(square));
    }
  });
}

INSTANTIATE_TEST_SUITE_P(Forms, PanelRowsTest,
                         testing::Values(NumberForm::floats, NumberForm::shorts, NumberForm::bytes,
                                         NumberForm::tiled_shorts, NumberForm::tiled_bytes));

TEST(PanelTest, GivesTheSameBytesInTiles) {
  if (!can_multiply(NumberForm::tiled_bytes)) GTEST_SKIP() << "This processor has no AMX.";
  constexpr size_t kColumns = 200;
  constexpr size_t kRows = 31;
  std::mt19937 random(1);
  const Weights weights(WeightKind::i8, kPanelOutputs, kColumns, random);
  const std::vector<float> in = random_floats(kRows * kColumns, random);
  const auto product = [&](NumberForm form) {
    PanelRows rows;
    rows.use(form, kRows, kColumns);
    for (size_t r = 0; r < kRows; ++r) rows.set(r, in.data() + r * kColumns);
    Panel panel;
    panel.pack(weights.matrix, 0, form);
    std::vector<float> out(kRows * kPanelOutputs);
    panel.multiply(rows.view(), 0, kRows, {.out = out.data(), .stride = kPanelOutputs});
    return out;
  };
  EXPECT_EQ(product(NumberForm::tiled_bytes), product(NumberForm::bytes));
}

TEST(PanelTest, SeesNeighboursWhereRowsOverlap) {
  // As a convolution does: a row begins two numbers after the one before.
  constexpr size_t kColumns = 6;
  std::mt19937 random(1);
  const Weights weights(WeightKind::f32, 2, kColumns, random);
  const std::vector<float> in = random_floats(2 * 12 + kColumns, random);
  for_each_target([&] {
    std::vector<float> out(8 * 2);
    Panel panel;
    panel.pack(weights.matrix, 0, NumberForm::floats);
    panel.multiply({.numbers = in.data(), .stride = 2, .columns = kColumns}, 0, 8,
                   {.out = out.data(), .stride = 2});
    for (size_t r = 0; r < 8; ++r) {
      float expected = 0;
      for (size_t i = 0; i < kColumns; ++i)
        expected += in[2 * r + i] * weights.values[kColumns + i];
      EXPECT_NEAR(out[2 * r + 1], expected, 1e-5);
    }
  });
}

}  // namespace
}  // namespace whisper_s4y
