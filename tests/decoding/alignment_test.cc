#include "decoding/alignment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

namespace whisper_s4y {
namespace {

using ::testing::ElementsAre;

std::vector<float> random_matrix(int size, unsigned seed) {
  std::mt19937 engine(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(static_cast<size_t>(size));
  for (float& value : values) value = normal(engine);
  return values;
}

// The cheapest of all monotone paths to the last corner, by trying them all.
double cheapest(const std::vector<float>& cost, int columns, int i, int j) {
  const double here = cost[static_cast<size_t>(i * columns + j)];
  if (i == 0 && j == 0) return here;
  double best = std::numeric_limits<double>::infinity();
  if (i > 0) best = std::min(best, cheapest(cost, columns, i - 1, j));
  if (j > 0) best = std::min(best, cheapest(cost, columns, i, j - 1));
  if (i > 0 && j > 0) best = std::min(best, cheapest(cost, columns, i - 1, j - 1));
  return here + best;
}

TEST(DynamicTimeWarping, FindsTheCheapestPath) {
  const std::pair<int, int> shapes[] = {{1, 1}, {1, 6}, {6, 1}, {2, 2}, {4, 7}, {7, 4}, {6, 6}};
  for (const auto& [rows, columns] : shapes) {
    for (unsigned seed = 0; seed < 10; ++seed) {
      const auto cost = random_matrix(rows * columns, seed);
      const auto path = dynamic_time_warping(cost, rows, columns);
      ASSERT_EQ(path.text_indices.size(), path.time_indices.size());
      EXPECT_EQ(path.text_indices.front(), 0);
      EXPECT_EQ(path.time_indices.front(), 0);
      EXPECT_EQ(path.text_indices.back(), rows - 1);
      EXPECT_EQ(path.time_indices.back(), columns - 1);
      double sum = 0;
      for (size_t k = 0; k < path.text_indices.size(); ++k) {
        sum += cost[static_cast<size_t>(path.text_indices[k] * columns + path.time_indices[k])];
        if (k == 0) continue;
        const int down = path.text_indices[k] - path.text_indices[k - 1];
        const int right = path.time_indices[k] - path.time_indices[k - 1];
        EXPECT_TRUE((down == 0 || down == 1) && (right == 0 || right == 1) && down + right > 0);
      }
      EXPECT_NEAR(sum, cheapest(cost, columns, rows - 1, columns - 1), 1e-4)
          << rows << "x" << columns << " seed " << seed;
    }
  }
}

TEST(DynamicTimeWarping, TiesGoToTheRight) {
  // Every path along equal costs is shortest over the diagonal, but ties are not "strictly
  // smaller": the reference then moves right.
  const auto path = dynamic_time_warping(std::vector<float>(6, 0.0F), 2, 3);
  EXPECT_THAT(path.text_indices, ElementsAre(0, 1, 1, 1));
  EXPECT_THAT(path.time_indices, ElementsAre(0, 0, 1, 2));
}

std::vector<float> naive_median(const std::vector<float>& row, int width) {
  const int size = static_cast<int>(row.size());
  const int half = width / 2;
  std::vector<float> result;
  for (int i = 0; i < size; ++i) {
    std::vector<float> around;
    for (int j = i - half; j <= i + half; ++j) {
      const int k = j < 0 ? -j : j >= size ? 2 * size - 2 - j : j;
      around.push_back(row[static_cast<size_t>(k)]);
    }
    std::sort(around.begin(), around.end());
    result.push_back(around[static_cast<size_t>(half)]);
  }
  return result;
}

TEST(MedianFilter, AgreesWithSorting) {
  for (const int width : {3, 5, 7, 13}) {
    for (const int size : {width / 2 + 1, 20, 101}) {
      auto row = random_matrix(size, static_cast<unsigned>(size));
      for (float& value : row) value = std::round(value * 4.0F);  // equal values too
      std::vector<float> filtered(row.size());
      median_filter(row, width, filtered);
      EXPECT_EQ(filtered, naive_median(row, width)) << width << " " << size;
    }
  }
}

TEST(MedianFilter, AShortRowIsCopied) {
  const std::vector<float> row = {3, 1, 2};
  std::vector<float> filtered(3);
  median_filter(row, 7, filtered);
  EXPECT_EQ(filtered, row);
}

TEST(AlignmentMatrix, AgreesWithDoubles) {
  const int heads = 3;
  const int rows = 9;  // two more than tokens
  const int tokens = 7;
  const int model_positions = 50;
  const int positions = 40;
  const auto raw = random_matrix(heads * rows * model_positions, 4);
  const AlignmentScores scores{raw, heads, rows, model_positions, {}};
  const auto matrix = alignment_matrix(scores, tokens, positions);
  ASSERT_EQ(matrix.size(), static_cast<size_t>(tokens * positions));

  std::vector<double> expected(matrix.size(), 0.0);
  for (int head = 0; head < heads; ++head) {
    std::vector<std::vector<double>> weights(tokens, std::vector<double>(positions));
    for (int t = 0; t < tokens; ++t) {
      double sum = 0;
      for (int p = 0; p < positions; ++p) {
        weights[t][p] = std::exp(scores.row(head, t)[static_cast<size_t>(p)]);
        sum += weights[t][p];
      }
      for (double& weight : weights[t]) weight /= sum;
    }
    for (int p = 0; p < positions; ++p) {
      double mean = 0;
      double variance = 0;
      for (int t = 0; t < tokens; ++t) mean += weights[t][p] / tokens;
      for (int t = 0; t < tokens; ++t) variance += std::pow(weights[t][p] - mean, 2) / tokens;
      for (int t = 0; t < tokens; ++t) weights[t][p] = (weights[t][p] - mean) / std::sqrt(variance);
    }
    for (int t = 0; t < tokens; ++t) {
      const std::vector<float> row(weights[t].begin(), weights[t].end());
      const auto filtered = naive_median(row, 7);
      for (int p = 0; p < positions; ++p) {
        expected[static_cast<size_t>(t * positions + p)] +=
            filtered[static_cast<size_t>(p)] / heads;
      }
    }
  }
  for (size_t i = 0; i < matrix.size(); ++i) EXPECT_NEAR(matrix[i], expected[i], 1e-4) << i;
}

TEST(AlignmentMatrix, APositionWithoutDifferencesIsZero) {
  const std::vector<float> raw(2 * 10, 1.0F);
  const AlignmentScores scores{raw, 1, 2, 10, {}};
  for (const float value : alignment_matrix(scores, 2, 10)) EXPECT_EQ(value, 0.0F);
}

}  // namespace
}  // namespace whisper_s4y
