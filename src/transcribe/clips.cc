#include "transcribe/clips.h"

#include <algorithm>
#include <cstddef>

#include "transcribe/segments.h"

namespace whisper_s4y {

std::vector<Clip> clips_of(std::span<const double> clip_timestamps, int content_frames) {
  std::vector<int> points;
  for (const double seconds : clip_timestamps) {
    points.push_back(frame_at(seconds));
  }
  if (points.empty()) points.push_back(0);
  if (points.size() % 2 == 1) points.push_back(std::max(content_frames, points.back()));
  std::vector<Clip> clips;
  for (size_t i = 0; i < points.size(); i += 2) {
    clips.push_back({points[i], std::min(points[i + 1], content_frames)});
  }
  return clips;
}

}  // namespace whisper_s4y
