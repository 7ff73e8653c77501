#include <algorithm>
#include <iterator>
#include <utility>

#include "common/boundary.h"
#include "common/fail.h"
#include "whisper_s4y/transcript.h"

namespace whisper_s4y {

Transcript merge_channels(std::vector<Transcript> channels, const std::vector<std::string>& names) {
  return with_errors([&] {
    if (channels.size() != names.size()) {
      fail(ErrorCode::invalid_argument, "{} channels have {} names.", channels.size(),
           names.size());
    }
    Transcript merged;
    for (size_t i = 0; i < channels.size(); ++i) {
      Transcript& channel = channels[i];
      if (merged.language.empty()) {
        merged.language = channel.language;
        merged.language_probability = channel.language_probability;
      }
      merged.is_cut = merged.is_cut || channel.is_cut;
      merged.duration = std::max(merged.duration, channel.duration);
      merged.duration_after_vad = std::max(merged.duration_after_vad, channel.duration_after_vad);
      for (Segment& segment : channel.segments) segment.channel = names[i];
      std::ranges::move(channel.segments, std::back_inserter(merged.segments));
      for (std::string& warning : channel.warnings) {
        // What all channels have in common is said once.
        if (std::ranges::find(merged.warnings, warning) == merged.warnings.end()) {
          merged.warnings.push_back(std::move(warning));
        }
      }
    }
    std::ranges::stable_sort(merged.segments, {}, &Segment::start);
    for (size_t i = 0; i < merged.segments.size(); ++i) {
      merged.segments[i].id = static_cast<int>(i);
      merged.text += merged.segments[i].text;
    }
    return merged;
  });
}

}  // namespace whisper_s4y
