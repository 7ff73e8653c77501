// From cross-attention to the way tokens follow the audio (openai/whisper timing.py).
#pragma once

#include <span>
#include <vector>

#include "decoding/decoder_model.h"

namespace whisper_s4y {

/// A path through a matrix from its first to its last corner: point i is
/// (text_indices[i], time_indices[i]).
struct WarpingPath {
  std::vector<int> text_indices;
  std::vector<int> time_indices;
};

/// The cheapest monotone path through cost [rows, columns] (timing.py: dtw_cpu and backtrace;
/// costs are summed in float, ties go to the right). rows and columns are at least 1.
[[nodiscard]] WarpingPath dynamic_time_warping(std::span<const float> cost, int rows, int columns);

/// filtered[i] = median of the `width` (odd) values around row[i], the row reflected at its ends;
/// a row not longer than width / 2 is copied (timing.py: median_filter). The spans have one length
/// and do not overlap.
void median_filter(std::span<const float> row, int width, std::span<float> filtered);

/// Attention of every token to every position [tokens, positions] from the raw scores of the
/// alignment heads: softmax over positions, normalised over tokens, median-filtered along
/// positions, mean over heads. `positions` of the model's positions are used.
[[nodiscard]] std::vector<float> alignment_matrix(const AlignmentScores& scores, int tokens,
                                                  int positions);

}  // namespace whisper_s4y
