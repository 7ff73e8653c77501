// The parts of a recording that shall be transcribed.
#pragma once

#include <limits>
#include <span>
#include <vector>

namespace whisper_s4y {

/// Of a recording whose end is not known yet.
inline constexpr int kOpenEnd = std::numeric_limits<int>::max();

/// Frames [begin, end) of 10 ms.
struct Clip {
  int begin = 0;
  int end = 0;
};

/// start, end, start, end, ... in seconds; a missing last end is that of the recording, which has
/// `content_frames`, and so is a later one. No timestamps: one clip, the recording. The times are
/// those of valid TranscribeOptions. `content_frames` may be kOpenEnd.
[[nodiscard]] std::vector<Clip> clips_of(std::span<const double> clip_timestamps,
                                         int content_frames);

}  // namespace whisper_s4y
