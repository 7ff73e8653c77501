// Where in a recording something can be heard.
#pragma once

#include "transcribe/log_mel.h"
#include "transcribe/sound_spans.h"

namespace whisper_s4y {

/// Found as the recording is heard. Long silence is between two spans, before the first or after
/// the last; shorter silence is part of them.
class AudibleSpans {
 public:
  /// Silence of `shortest` frames or more is long. `log_mel` outlives the object.
  AudibleSpans(const LogMel& log_mel, int shortest) : log_mel_(log_mel), shortest_(shortest) {}

  /// Looks at the frames up to `until`, all of which were heard or come after the recording.
  void look(int until);
  /// Frames that were looked at.
  [[nodiscard]] int looked_at() const { return next_; }
  /// What was found. The last one may go on.
  [[nodiscard]] const SoundSpans& found() const { return spans_; }

 private:
  const LogMel& log_mel_;
  int shortest_;
  int next_ = 0;
  int end_ = 0;  // of the last span
  SoundSpans spans_;
};

}  // namespace whisper_s4y
