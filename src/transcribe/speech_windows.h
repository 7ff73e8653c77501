// Where somebody speaks first in a recording, found without hearing all of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "transcribe/clips.h"
#include "transcribe/sound_buffer.h"
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
  /// At least one clip; they may end after the recording. All arguments outlive the object; the
  /// detector hears nothing else meanwhile. In a pipe, whose beginning must not be forgotten, only
  /// the first kLookAhead samples are heard.
  SpeechWindows(const DetectorSource& detector, SoundBuffer& sound, std::span<const Clip> clips)
      : detector_(detector), sound_(sound), clips_(clips), fallback_(clips.front().begin) {}

  /// First frame of the next window; nothing when there are no more.
  [[nodiscard]] std::optional<int> next();

 private:
  void enter_clip();
  [[nodiscard]] int64_t limit(int64_t sample) const;
  [[nodiscard]] bool is_within(int frame);
  [[nodiscard]] std::optional<bool> is_speech(size_t chunk);

  const DetectorSource& detector_;
  SoundBuffer& sound_;
  std::span<const Clip> clips_;  // the first one is where the search is
  int fallback_;                 // without any speech
  bool in_clip_ = false;
  int position_ = 0;                 // frame at which the next window begins at the earliest
  int64_t clip_begin_ = 0;           // sample
  int64_t clip_end_ = 0;             // sample, as far as is known
  std::vector<float> speech_probs_;  // of the clip's chunks, as far as they were heard
  std::optional<int> spare_;         // the best window with hardly any speech
  size_t spare_speech_ = 0;          // chunks
  bool found_ = false;
};

}  // namespace whisper_s4y
