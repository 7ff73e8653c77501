#include "transcribe/audible_spans.h"

#include <algorithm>

namespace whisper_s4y {

void AudibleSpans::look(int until) {
  const std::optional<int> content = log_mel_.content_frames();
  if (content) until = std::min(until, *content);
  if (next_ >= until) return;
  for (; next_ < until; ++next_) {
    if (log_mel_.is_silent(next_, 1)) continue;
    const bool parted = next_ - end_ >= shortest_;
    if (spans_.size() == 0 || parted) {
      spans_.add({.begin = (parted ? next_ : 0) / kFramesPerSecond});
    }
    end_ = next_ + 1;
    spans_.extend(end_ / kFramesPerSecond);
  }
  const bool ends_soon = content == until && until - end_ < shortest_;
  if (ends_soon && spans_.size() > 0) spans_.extend(until / kFramesPerSecond);
}

}  // namespace whisper_s4y
