// Which positions of a window with padding an encoder computes.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

namespace whisper_s4y {

/// Positions of a window: the first ones, and of those after them some that stand for all.
struct WindowPositions {
  size_t contiguous = 0;              // [0, contiguous)
  std::vector<size_t> sampled;        // later ones, ascending
  std::vector<float> multiplicities;  // [size()]: as how many each counts in a softmax

  [[nodiscard]] size_t size() const { return contiguous + sampled.size(); }
};

/// For a window whose features are sound up to `content_frames` and 0.0 after it: all positions
/// that see sound and those of `seconds` more, and a sample of the others. Nothing where there are
/// too few of these.
[[nodiscard]] std::optional<WindowPositions> sampled_positions(int content_frames, double seconds);

}  // namespace whisper_s4y
