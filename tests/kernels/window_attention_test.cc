#include "kernels/window_attention.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "random_weights.h"
#include "targets_test.h"

namespace whisper_s4y {
namespace {

struct Case {
  size_t head_size;
  size_t positions;
  bool integers;
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
    const auto [e, positions, integers] = GetParam();
    const double tolerance = integers ? tolerance_of_integers : 2e-5;
    for_each_target([&, e = e, positions = positions, integers = integers] {
      WindowAttention attention({kHeads, e}, positions, integers);
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

INSTANTIATE_TEST_SUITE_P(Shapes, WindowAttentionTest,
                         testing::Values(Case{64, 1500, true}, Case{64, 1500, false},
                                         Case{8, 10, true}, Case{8, 10, false}, Case{7, 65, true},
                                         Case{7, 65, false}, Case{80, 70, true},
                                         Case{80, 70, false}));

}  // namespace
}  // namespace whisper_s4y
