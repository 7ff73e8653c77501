#include "kernels/window_attention.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <utility>
#include <vector>

#include "random_weights.h"
#include "targets_test.h"

namespace whisper_s4y {
namespace {

struct Case {
  size_t head_size;
  size_t positions;
  NumberForm form;
};

class WindowAttentionTest : public testing::TestWithParam<Case> {
 protected:
  static constexpr size_t kHeads = 2;
  [[nodiscard]] static size_t width() { return kHeads * GetParam().head_size; }

  /// Softmax of a row's scores times values, in double.
  [[nodiscard]] std::vector<double> expected(size_t head, size_t row) const {
    const size_t e = GetParam().head_size;
    const size_t positions = GetParam().positions;
    std::vector<double> scores(positions);
    for (size_t t = 0; t < positions; ++t) {
      for (size_t i = 0; i < e; ++i) {
        scores[t] += static_cast<double>(queries[row * width() + head * e + i]) *
                     keys[t * width() + head * e + i];
      }
      scores[t] /= std::sqrt(static_cast<double>(e));
    }
    const double largest = *std::ranges::max_element(scores);
    double sum = 0;
    std::vector<double> out(e);
    for (size_t t = 0; t < positions; ++t) {
      const double power = std::exp(scores[t] - largest);
      sum += power;
      for (size_t i = 0; i < e; ++i) out[i] += power * values[t * width() + head * e + i];
    }
    for (double& number : out) number /= sum;
    return out;
  }

  void make_numbers(float spread) {
    std::mt19937 random(1);
    const size_t count = GetParam().positions * width();
    queries = random_floats(count, random);
    keys = random_floats(count, random);
    values = random_floats(count, random);
    for (float& query : queries) query *= spread;
  }

  void check(double tolerance_of_integers) {
    const auto [e, positions, form] = GetParam();
    const double tolerance = form == NumberForm::floats ? 2e-5 : tolerance_of_integers;
    for_each_target([&, e = e, positions = positions, form = form] {
      if (!can_multiply(form)) return;
      WindowAttention attention({kHeads, e}, positions, form);
      for (size_t head = 0; head < kHeads; ++head) {
        attention.set(head, keys.data(), values.data());
      }
      std::vector<float> out = queries;  // in place
      WindowAttention::Scratch scratch;
      for (size_t begin = 0; begin < positions; begin += WindowAttention::kMostRows) {
        const size_t rows = std::min(WindowAttention::kMostRows, positions - begin);
        attention.attend(1, out.data(), begin, rows, scratch, out.data());
      }
      for (size_t row = 0; row < positions; row += 1 + positions / 40) {
        const std::vector<double> numbers = expected(1, row);
        for (size_t i = 0; i < e; ++i) {
          ASSERT_NEAR(out[row * width() + e + i], numbers[i], tolerance) << row << ", " << i;
          ASSERT_EQ(out[row * width() + i], queries[row * width() + i]);  // of the other head
        }
      }
    });
  }

  std::vector<float> queries, keys, values;
};

TEST_P(WindowAttentionTest, LooksEverywhere) {
  make_numbers(0.1F);
  check(1e-3);
}

TEST_P(WindowAttentionTest, LooksAtFewPositions) {
  make_numbers(4.0F);
  check(6e-3);  // queries and keys have thirteen bits with the sign, scores are up to 16
}

TEST_P(WindowAttentionTest, TakesTheMeanWhereScoresAreEqual) {
  make_numbers(0.0F);
  check(1e-3);
}

TEST_P(WindowAttentionTest, CountsAPositionAsOftenAsItsMultiplicitySays) {
  const auto [e, most, form] = GetParam();
  make_numbers(1.0F);
  const size_t positions = most / 2 + 1;
  const auto times = [](size_t t) { return 1 + t % 3 * 4; };
  std::vector<float> multiplicities;
  std::vector<float> all_keys;
  std::vector<float> all_values;
  for (size_t t = 0; t < positions; ++t) {
    multiplicities.push_back(static_cast<float>(times(t)));
    const auto row = static_cast<ptrdiff_t>(t * width());
    const auto end = row + static_cast<ptrdiff_t>(width());
    for (size_t i = 0; i < times(t); ++i) {
      all_keys.insert(all_keys.end(), keys.begin() + row, keys.begin() + end);
      all_values.insert(all_values.end(), values.begin() + row, values.begin() + end);
    }
  }
  const size_t all = all_keys.size() / width();
  for_each_target([&, e = e, most = most, form = form] {
    if (!can_multiply(form)) return;
    WindowAttention repeated({kHeads, e}, all, form);
    repeated.set(1, all_keys.data(), all_values.data());
    WindowAttention counted({kHeads, e}, most, form);
    counted.set(1, keys.data(), values.data());  // is gone with use()
    counted.use(positions, multiplicities);
    counted.set(1, keys.data(), values.data());
    WindowAttention::Scratch scratch;
    std::vector<float> wanted(positions * width());
    std::vector<float> out(positions * width());
    const size_t rows = std::min(WindowAttention::kMostRows, positions);
    repeated.attend(1, queries.data(), 0, rows, scratch, wanted.data());
    counted.attend(1, queries.data(), 0, rows, scratch, out.data());
    for (size_t i = 0; i < rows * width(); ++i) {
      ASSERT_NEAR(out[i], wanted[i], form == NumberForm::floats ? 2e-5 : 2e-3) << i;
    }
  });
}

std::vector<Case> cases() {
  std::vector<Case> cases;
  for (const auto& [head_size, positions] :
       {std::pair<size_t, size_t>{64, 1500}, {8, 10}, {7, 65}, {80, 70}}) {
    for (const NumberForm form :
         {NumberForm::floats, NumberForm::shorts, NumberForm::tiled_shorts}) {
      cases.push_back({head_size, positions, form});
    }
  }
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Shapes, WindowAttentionTest, testing::ValuesIn(cases()));

TEST(WindowAttentionTest, GivesTheSameInTiles) {
  if (!can_multiply(NumberForm::tiled_shorts)) GTEST_SKIP() << "This processor has no AMX.";
  constexpr AttentionShape kShape{.heads = 1, .head_size = 64};
  constexpr size_t kPositions = 101;
  std::mt19937 random(1);
  std::vector<float> queries = random_floats(kPositions * kShape.width(), random);
  std::vector<float> keys = random_floats(kPositions * kShape.width(), random);
  const std::vector<float> values = random_floats(kPositions * kShape.width(), random);
  for (size_t i = 0; i < kShape.width(); ++i) queries[i] = 20;  // scores of -160 and less
  for (float& key : keys) key -= 2;
  const auto attended = [&](NumberForm form) {
    WindowAttention attention(kShape, kPositions, form);
    attention.set(0, keys.data(), values.data());
    std::vector<float> out(queries.size());
    WindowAttention::Scratch scratch;
    for (size_t begin = 0; begin < kPositions; begin += WindowAttention::kMostRows) {
      attention.attend(0, queries.data(), begin,
                       std::min(WindowAttention::kMostRows, kPositions - begin), scratch,
                       out.data());
    }
    return out;
  };
  EXPECT_EQ(attended(NumberForm::tiled_shorts), attended(NumberForm::shorts));
}

}  // namespace
}  // namespace whisper_s4y
