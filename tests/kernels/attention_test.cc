#include "kernels/attention.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <random>
#include <vector>

#include "kernels/row_ops.h"
#include "random_weights.h"
#include "targets_test.h"

namespace whisper_s4y {
namespace {

struct Case {
  size_t head_size;
  size_t positions;
  bool halves;
};

class WindowCacheTest : public testing::TestWithParam<Case> {};

TEST_P(WindowCacheTest, AttendsToAllPositions) {
  const auto [e, positions, halves] = GetParam();
  constexpr size_t kHeads = 2;
  constexpr size_t kRows = 7;
  const size_t width = kHeads * e;
  const double tolerance = halves ? 5e-3 : 1e-4;  // a half has 11 bits
  std::mt19937 random(1);
  const std::vector<float> keys = random_floats(positions * width, random);
  const std::vector<float> values = random_floats(positions * width, random);
  const std::vector<float> queries = random_floats(kRows * width, random);
  for_each_target([&, e = e, positions = positions, halves = halves] {
    WindowCache cache({kHeads, e}, positions, halves);
    for (size_t head = 0; head < kHeads; ++head) {
      cache.set(head, keys.data(), values.data());
      std::vector<float> scores(kRows * cache.stride());
      cache.scores(head, queries.data() + head * e, width, kRows, scores.data());
      for (size_t r = 0; r < kRows; ++r) {
        for (size_t t = 0; t < positions; ++t) {
          double expected = 0;
          for (size_t i = 0; i < e; ++i) {
            expected += queries[r * width + head * e + i] * keys[t * width + head * e + i];
          }
          ASSERT_NEAR(scores[r * cache.stride() + t], expected, tolerance * std::sqrt(e));
        }
        std::fill_n(scores.data() + r * cache.stride(), cache.stride(), 0.0F);
        for (size_t t = 0; t < positions; ++t) {
          scores[r * cache.stride() + t] = static_cast<float>((t + r) % 5) * 0.1F;
        }
      }
      std::vector<float> out(kRows * width, -1.0F);
      cache.mix(head, scores.data(), kRows, out.data() + head * e, width);
      for (size_t r = 0; r < kRows; ++r) {
        for (size_t i = 0; i < e; ++i) {
          double expected = 0;
          for (size_t t = 0; t < positions; ++t) {
            expected += static_cast<double>((t + r) % 5) * 0.1 * values[t * width + head * e + i];
          }
          ASSERT_NEAR(out[r * width + head * e + i], expected,
                      tolerance * std::sqrt(static_cast<double>(positions)));
        }
      }
      EXPECT_EQ(out[(1 - head) * e], -1.0F);  // the other head's numbers are left alone
    }
  });
}

TEST_P(WindowCacheTest, IsAsOneOfFewerPositions) {
  const auto [e, most, halves] = GetParam();
  const size_t positions = most / 2 + 1;
  std::mt19937 random(1);
  const std::vector<float> keys = random_floats(most * e, random);
  const std::vector<float> values = random_floats(most * e, random);
  const std::vector<float> query = random_floats(e, random);
  for_each_target([&, e = e, most = most, halves = halves] {
    const auto look = [&](WindowCache& cache) {
      cache.set(0, keys.data(), values.data());
      std::vector<float> scores(cache.stride());
      cache.scores(0, query.data(), e, 1, scores.data());
      std::fill(scores.begin() + static_cast<ptrdiff_t>(positions), scores.end(), 0.0F);
      std::vector<float> out(e);
      cache.mix(0, scores.data(), 1, out.data(), e);
      return out;
    };
    WindowCache small({1, e}, positions, halves);
    WindowCache large({1, e}, most, halves);
    (void)look(large);
    large.use(positions);
    EXPECT_EQ(large.positions(), positions);
    EXPECT_EQ(look(large), look(small));
  });
}

INSTANTIATE_TEST_SUITE_P(Shapes, WindowCacheTest,
                         testing::Values(Case{64, 1500, true}, Case{64, 1500, false},
                                         Case{4, 10, false}, Case{7, 65, true}));

TEST(AttendTest, LooksAtTheSlotsInTheirOrder) {
  constexpr size_t kWidth = 24;
  constexpr size_t kHead = 12;
  std::mt19937 random(1);
  const std::vector<float> keys = random_floats(9 * kWidth, random);
  const std::vector<float> values = random_floats(9 * kWidth, random);
  const std::vector<float> query = random_floats(kHead, random);
  const std::vector<uint32_t> slots = {7, 0, 8, 3};
  std::vector<float> weights;
  for (const uint32_t slot : slots) {
    weights.push_back(
        std::inner_product(query.begin(), query.end(), keys.begin() + slot * kWidth, 0.0F));
  }
  softmax(weights);
  for_each_target([&] {
    std::vector<float> scores(slots.size());
    std::vector<float> out(kHead);
    attend(query, keys.data(), values.data(), kWidth, slots, scores, out);
    for (size_t i = 0; i < kHead; ++i) {
      float expected = 0;
      for (size_t t = 0; t < slots.size(); ++t)
        expected += weights[t] * values[slots[t] * kWidth + i];
      EXPECT_NEAR(out[i], expected, 1e-5);
    }
  });
}

}  // namespace
}  // namespace whisper_s4y
