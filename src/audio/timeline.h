// Where frames belong on the recording's clock.
#pragma once

#include <cstdint>
#include <optional>

namespace whisper_s4y {

/// Follows the timestamps of a track. What comes out is counted in samples at 16 kHz from the
/// beginning of the recording; frames that follow one another without a gap are one run, within
/// which only samples count: timestamps are rounded and shake a little.
class Timeline {
 public:
  /// What to do before a frame's samples are taken.
  struct Step {
    bool ends_run = false;  // flush the resampler before the silence
    int64_t silence = 0;    // samples at 16 kHz that are missing
    int64_t skipped = 0;    // samples at 16 kHz to leave out: they come before the recording begins
  };

  /// `discontinuities`: the format's timestamps may jump without meaning a pause.
  explicit Timeline(bool discontinuities) : discontinuities_(discontinuities) {}

  /// The next frame of `samples` at `rate`, which is to be heard `seconds` after the recording
  /// begins; nothing: right after the one before.
  [[nodiscard]] Step next(std::optional<double> seconds, int samples, int rate);

  /// How often timestamps jumped too far for a pause; such jumps are not followed.
  [[nodiscard]] int ignored_jumps() const { return ignored_jumps_; }
  /// Places where packets are missing, and seconds of silence there. Short ones do not count:
  /// codecs leave out packets of silence.
  [[nodiscard]] int gaps() const { return gaps_; }
  [[nodiscard]] double gap_seconds() const { return gap_seconds_; }

 private:
  [[nodiscard]] Step begin(double seconds);
  [[nodiscard]] double catch_up(double late);

  bool discontinuities_;
  bool started_ = false;
  double offset_ = 0;    // added to timestamps since a jump that was not followed
  double expected_ = 0;  // when the next frame would follow without a gap
  double overlap_ = 0;   // seconds the samples are behind the timestamps, which stepped back
  double drift_ = 0;     // and as the clock is slower than they
  double silence_ = 0;   // seconds put in so far
  int ignored_jumps_ = 0;
  int gaps_ = 0;
  double gap_seconds_ = 0;
};

}  // namespace whisper_s4y
