#include "audio/timeline.h"

#include <algorithm>
#include <cmath>

#include "whisper_s4y/audio.h"

namespace whisper_s4y {
namespace {

// Seconds.
constexpr double kGap = 0.02;              // a shorter one is rounding
constexpr double kToldGap = 0.5;           // a shorter one may be a codec's way to keep silent
constexpr double kOverlap = 0.05;          // a step back that is more than rounding
constexpr double kDrift = 0.1;             // how far a slow clock may fall behind the samples
constexpr double kDiscontinuity = 10;      // ffmpeg's dts_delta_threshold
constexpr double kMostSilence = 6 * 3600;  // in all: timestamps can be made up

int64_t samples_of(double seconds) { return std::llround(seconds * kSampleRate); }

}  // namespace

Timeline::Step Timeline::begin(double seconds) {
  started_ = true;
  if (std::abs(seconds) > kMostSilence) {
    ++ignored_jumps_;
    offset_ = -seconds;
    return {};
  }
  expected_ = seconds;
  silence_ = std::max(seconds, 0.0);
  return {.silence = samples_of(std::max(seconds, 0.0)),
          .skipped = samples_of(std::max(-seconds, 0.0))};
}

// All sound is kept where timestamps step back; a clock that is slower than the samples is followed
// in small steps. Returns seconds to leave out.
double Timeline::catch_up(double late) {
  overlap_ = std::clamp(overlap_, 0.0, std::max(late, 0.0));
  const double drift = late - overlap_;
  if (drift - drift_ > kOverlap) {
    overlap_ = late - drift_;
    return 0;
  }
  drift_ = drift;
  if (drift <= kDrift) return 0;
  drift_ = 0;
  expected_ -= drift;
  return drift;
}

Timeline::Step Timeline::next(std::optional<double> seconds, int samples, int rate) {
  Step step;
  if (seconds && std::isfinite(*seconds)) {
    const double time = *seconds + offset_;
    const double jump = time - expected_;
    const double limit = discontinuities_ ? kDiscontinuity : kMostSilence - silence_;
    if (!started_) {
      step = begin(time);
    } else if (jump > limit || jump < -kMostSilence || (discontinuities_ && jump < -limit)) {
      ++ignored_jumps_;
      offset_ -= jump;
      overlap_ = drift_ = 0;
    } else if (jump > kGap) {
      step = {.ends_run = true, .silence = samples_of(jump)};
      expected_ = time;
      silence_ += jump;
      overlap_ = drift_ = 0;
      if (jump > kToldGap) {
        ++gaps_;
        gap_seconds_ += jump;
      }
    } else {
      step.skipped = samples_of(catch_up(-jump));
    }
  } else {
    started_ = true;
  }
  expected_ += static_cast<double>(samples) / rate;
  return step;
}

}  // namespace whisper_s4y
