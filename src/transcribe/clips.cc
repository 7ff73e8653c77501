#include "transcribe/clips.h"

#include <algorithm>
#include <cstddef>

#include "transcribe/segments.h"
#include "whisper_s4y/error.h"

namespace whisper_s4y {

std::vector<Clip> clips_of(std::span<const double> clip_timestamps, int content_frames) {
  std::vector<int> points;
  for (const double seconds : clip_timestamps) {
    if (!(seconds >= 0) || seconds > 1e7) {
      fail("clip_timestamps are seconds from the beginning of the recording, not {}.", seconds);
    }
    points.push_back(frame_at(seconds));
  }
  if (points.empty()) points.push_back(0);
  if (points.size() % 2 == 1) points.push_back(std::max(content_frames, points.back()));
  std::vector<Clip> clips;
  for (size_t i = 0; i < points.size(); i += 2) {
    if (points[i + 1] < points[i]) {
      fail("A clip ends at {} s, before it begins at {} s.", points[i + 1] / kFramesPerSecond,
           points[i] / kFramesPerSecond);
    }
    clips.push_back({points[i], std::min(points[i + 1], content_frames)});
  }
  return clips;
}

}  // namespace whisper_s4y
