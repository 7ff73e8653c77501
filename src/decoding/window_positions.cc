#include "decoding/window_positions.h"

#include <algorithm>

#include "config/front_end.h"

namespace whisper_s4y {
namespace {

// One in so many. The quickest sinusoid of the positions has a period of 6.3 of them: what is
// sampled much less often than that looks slow.
constexpr size_t kStride = 3;
constexpr double kShortest = 250;  // positions, of which less are not worth sampling

constexpr double kPositionsPerSecond = kFramesPerSecond / kFramesPerPosition;

// A position sees five frames, of which the middle one is its own.
int positions_with_sound(int content_frames) { return (content_frames + 3) / 2; }

}  // namespace

std::optional<WindowPositions> sampled_positions(int content_frames, double seconds) {
  const double kept = positions_with_sound(content_frames) + seconds * kPositionsPerSecond;
  if (kWindowPositions - kept < kShortest) return std::nullopt;
  WindowPositions positions;
  positions.contiguous = static_cast<size_t>(kept);
  positions.multiplicities.assign(positions.contiguous, 1.0F);
  for (size_t begin = positions.contiguous; begin < kWindowPositions; begin += kStride) {
    const size_t count = std::min<size_t>(kStride, kWindowPositions - begin);
    positions.sampled.push_back(begin + count / 2);
    positions.multiplicities.push_back(static_cast<float>(count));
  }
  return positions;
}

}  // namespace whisper_s4y
