// Where somebody speaks first in a recording, found without hearing all of it.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "transcribe/clips.h"
#include "whisper_s4y/vad.h"

namespace whisper_s4y {

/// Gives the detector, which may be made only now; empty: all is speech.
using DetectorSource = std::function<SpeechDetector&()>;

/// The windows of 30 s in which the language of a recording is looked for. A window begins with its
/// clip or where the one before ends, but not with several seconds in which nobody speaks: then
/// with the speech. One with hardly any speech counts only when there is no better one, and without
/// any speech the first clip's beginning is all there is. No more is heard than it takes.
class SpeechWindows {
 public:
  /// `audio`: mono, 16 kHz. At least one clip. All arguments outlive the object; the detector
  /// hears nothing else meanwhile.
  SpeechWindows(const DetectorSource& detector, std::span<const float> audio,
                std::span<const Clip> clips)
      : detector_(detector), audio_(audio), clips_(clips), fallback_(clips.front().begin) {}

  /// First frame of the next window; nothing when there are no more.
  [[nodiscard]] std::optional<int> next();

 private:
  void enter_clip();
  [[nodiscard]] bool is_speech(size_t chunk);

  const DetectorSource& detector_;
  std::span<const float> audio_;
  std::span<const Clip> clips_;  // the first one is where the search is
  int fallback_;                 // without any speech
  bool in_clip_ = false;
  int position_ = 0;                 // frame at which the next window begins at the earliest
  std::span<const float> clip_;      // samples
  std::vector<float> speech_probs_;  // of the clip's chunks, as far as they were heard
  std::optional<int> spare_;         // the best window with hardly any speech
  size_t spare_speech_ = 0;          // chunks
  bool found_ = false;
};

}  // namespace whisper_s4y
