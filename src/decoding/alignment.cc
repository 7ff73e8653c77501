#include "decoding/alignment.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "decoding/logit_math.h"

namespace whisper_s4y {
namespace {

constexpr int kMedianWidth = 7;

enum Move : uint8_t { kDiagonal, kDown, kRight };

// Follows the moves back from the last corner.
WarpingPath backtrace(const std::vector<uint8_t>& moves, int rows, int columns) {
  WarpingPath path;
  int i = rows - 1;
  int j = columns - 1;
  while (true) {
    path.text_indices.push_back(i);
    path.time_indices.push_back(j);
    if (i == 0 && j == 0) break;
    const auto move = static_cast<Move>(moves[static_cast<size_t>(i) * columns + j]);
    if (move != kRight) --i;
    if (move != kDown) --j;
  }
  std::reverse(path.text_indices.begin(), path.text_indices.end());
  std::reverse(path.time_indices.begin(), path.time_indices.end());
  return path;
}

}  // namespace

WarpingPath dynamic_time_warping(std::span<const float> cost, int rows, int columns) {
  constexpr float kNever = std::numeric_limits<float>::infinity();
  const auto width = static_cast<size_t>(columns);
  std::vector<uint8_t> moves(static_cast<size_t>(rows) * width);
  // Sums of the row above and of this row, each with a column before the first.
  std::vector<float> above(width + 1, kNever);
  std::vector<float> current(width + 1, kNever);
  above[0] = 0.0F;
  for (int i = 0; i < rows; ++i) {
    const float* row = cost.data() + static_cast<size_t>(i) * width;
    current[0] = kNever;
    for (size_t j = 0; j < width; ++j) {
      const float diagonal = above[j];
      const float down = above[j + 1];
      const float right = current[j];
      Move move = kRight;
      float sum = right;
      if (diagonal < down && diagonal < right) {
        move = kDiagonal;
        sum = diagonal;
      } else if (down < diagonal && down < right) {
        move = kDown;
        sum = down;
      }
      current[j + 1] = row[j] + sum;
      moves[static_cast<size_t>(i) * width + j] = move;
    }
    std::swap(above, current);
  }
  // Along the edges there is only one way.
  std::fill_n(moves.begin(), width, kRight);
  for (int i = 1; i < rows; ++i) moves[static_cast<size_t>(i) * width] = kDown;
  return backtrace(moves, rows, columns);
}

void median_filter(std::span<const float> row, int width, std::span<float> filtered) {
  const int size = static_cast<int>(row.size());
  const int half = width / 2;
  if (size <= half) {
    std::copy(row.begin(), row.end(), filtered.begin());
    return;
  }
  const auto at = [&](int i) {
    if (i < 0) i = -i;
    if (i >= size) i = 2 * (size - 1) - i;
    return row[static_cast<size_t>(i)];
  };
  // The window's values in order; each step replaces the value that leaves by the one that enters.
  std::vector<float> window;
  for (int i = -half; i <= half; ++i) window.push_back(at(i));
  std::sort(window.begin(), window.end());
  for (int i = 0;; ++i) {
    filtered[static_cast<size_t>(i)] = window[static_cast<size_t>(half)];
    if (i + 1 == size) break;
    const float leaves = at(i - half);
    const float enters = at(i + half + 1);
    size_t slot = 0;
    while (slot + 1 < window.size() && window[slot] != leaves) ++slot;
    for (; slot + 1 < window.size() && window[slot + 1] < enters; ++slot) {
      window[slot] = window[slot + 1];
    }
    for (; slot > 0 && window[slot - 1] > enters; --slot) window[slot] = window[slot - 1];
    window[slot] = enters;
  }
}

std::vector<float> alignment_matrix(const AlignmentScores& scores, int tokens, int positions) {
  const auto width = static_cast<size_t>(positions);
  const auto height = static_cast<size_t>(tokens);
  std::vector<float> matrix(height * width, 0.0F);
  std::vector<float> weights(height * width);
  std::vector<float> filtered(width);
  std::vector<float> mean(width);
  std::vector<float> scale(width);
  for (int head = 0; head < scores.heads; ++head) {
    for (size_t t = 0; t < height; ++t) {
      const auto row = scores.row(head, static_cast<int>(t)).first(width);
      const auto out = std::span(weights).subspan(t * width, width);
      const auto norm = static_cast<float>(1.0 / exp_scaled(row, 1.0F, out));
      for (float& weight : out) weight *= norm;
    }
    const auto row_of = [&](size_t t) { return std::span(weights).subspan(t * width, width); };
    std::fill(mean.begin(), mean.end(), 0.0F);
    for (size_t t = 0; t < height; ++t) {
      const auto row = row_of(t);
      for (size_t i = 0; i < width; ++i) mean[i] += row[i];
    }
    for (float& value : mean) value /= static_cast<float>(tokens);
    std::fill(scale.begin(), scale.end(), 0.0F);
    for (size_t t = 0; t < height; ++t) {
      const auto row = row_of(t);
      for (size_t i = 0; i < width; ++i) scale[i] += (row[i] - mean[i]) * (row[i] - mean[i]);
    }
    for (float& value : scale) {
      const float deviation = std::sqrt(value / static_cast<float>(tokens));
      // A position all tokens weigh the same says nothing; the reference would divide by zero.
      value = deviation > 0 ? 1.0F / deviation : 0.0F;
    }
    for (size_t t = 0; t < height; ++t) {
      const auto row = row_of(t);
      for (size_t i = 0; i < width; ++i) row[i] = (row[i] - mean[i]) * scale[i];
      median_filter(row, kMedianWidth, filtered);
      for (size_t i = 0; i < width; ++i) matrix[t * width + i] += filtered[i];
    }
  }
  for (float& value : matrix) value /= static_cast<float>(scores.heads);
  return matrix;
}

}  // namespace whisper_s4y
