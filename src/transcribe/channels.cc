// Transcriber::transcribe_channels(): a recording whose channels are told apart.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "common/boundary.h"
#include "whisper_s4y/transcriber.h"

namespace whisper_s4y {
namespace {

/// Callbacks of one channel after the other, which make one recording for the caller of them.
class JoinedCallbacks {
 public:
  JoinedCallbacks(const TranscribeCallbacks& callbacks, const std::vector<std::string>& channels)
      : callbacks_(callbacks), channels_(channels) {}

  TranscribeCallbacks of_channel(size_t channel) {
    TranscribeCallbacks result;
    result.cancelled = callbacks_.cancelled;
    if (callbacks_.on_segment) {
      result.on_segment = [this, channel](const Segment& segment) {
        Segment named = segment;
        named.id = segments_++;
        named.channel = channels_[channel];
        callbacks_.on_segment(named);
      };
    }
    if (callbacks_.on_languages && !languages_told_) {
      result.on_languages = [this](const auto& languages) {
        languages_told_ = true;
        callbacks_.on_languages(languages);
      };
    }
    if (callbacks_.on_progress) {
      result.on_progress = [this, channel](double done, double total) {
        const auto left = static_cast<double>(channels_.size() - channel);
        callbacks_.on_progress(before_ + done, total > 0 ? before_ + left * total : 0);
      };
    }
    if (callbacks_.on_warning) {
      result.on_warning = [this](const std::string& warning) {
        // What all channels have in common is said once.
        if (std::ranges::find(warnings_, warning) != warnings_.end()) return;
        warnings_.push_back(warning);
        callbacks_.on_warning(warning);
      };
    }
    return result;
  }

  void end_channel(const Transcript& transcript) { before_ += transcript.duration; }

 private:
  const TranscribeCallbacks& callbacks_;
  const std::vector<std::string>& channels_;
  int segments_ = 0;                   // told
  bool languages_told_ = false;        // of the first channel that somebody speaks in
  double before_ = 0;                  // seconds of the channels before
  std::vector<std::string> warnings_;  // told
};

}  // namespace

Transcript Transcriber::transcribe_channels(AudioReader& audio, const TranscribeOptions& options,
                                            const TranscribeCallbacks& callbacks) {
  return with_errors([&] {
    const std::vector<std::string>& channels = audio.channels();
    if (channels.size() == 1) return transcribe(audio, options, callbacks);
    JoinedCallbacks joined(callbacks, channels);
    std::vector<Transcript> transcripts;
    std::vector<std::string> names;
    do {
      names.push_back(channels[names.size()]);
      transcripts.push_back(transcribe(audio, options, joined.of_channel(transcripts.size())));
      joined.end_channel(transcripts.back());
    } while (!transcripts.back().is_cut && audio.next_channel());
    return merge_channels(std::move(transcripts), names);
  });
}

}  // namespace whisper_s4y
