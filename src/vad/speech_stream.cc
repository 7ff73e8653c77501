#include "vad/speech_stream.h"

#include <algorithm>
#include <utility>

#include "whisper_s4y/audio.h"

namespace whisper_s4y {

SpeechStream::SpeechStream(SpeechDetector& detector, const VadOptions& options)
    : detector_(detector),
      tracker_(options),
      padding_(int64_t{kSampleRate} * options.speech_pad_ms / 1000) {
  detector_.reset();
}

std::vector<SpeechEvent> SpeechStream::push(std::span<const float> samples) {
  pending_.insert(pending_.end(), samples.begin(), samples.end());
  position_ += static_cast<int64_t>(samples.size());
  const size_t chunks = pending_.size() / kVadChunk;
  probs_.resize(chunks);
  detector_.hear(std::span(pending_).first(chunks * kVadChunk), probs_);
  pending_.erase(pending_.begin(),
                 pending_.begin() + static_cast<std::ptrdiff_t>(chunks * kVadChunk));
  std::vector<SpeechEvent> events;
  for (const float prob : probs_) track(prob, events);
  return events;
}

std::vector<SpeechEvent> SpeechStream::finish() {
  std::vector<SpeechEvent> events;
  probs_.clear();
  if (!pending_.empty()) {
    pending_.resize(kVadChunk, 0.0F);
    probs_.resize(1);
    detector_.hear(pending_, probs_);
    pending_.clear();
    track(probs_[0], events);
  }
  const std::optional<int64_t> start = tracker_.start();
  tracker_.finish(position_, ended_);
  tell(start, events);
  return events;
}

void SpeechStream::track(float speech_prob, std::vector<SpeechEvent>& events) {
  const std::optional<int64_t> start = tracker_.start();
  tracker_.next(speech_prob, ended_);
  tell(start, events);
}

void SpeechStream::tell(std::optional<int64_t> start_before, std::vector<SpeechEvent>& events) {
  const auto tell_start = [&](int64_t start) {
    events.push_back({SpeechEvent::Kind::start, std::max(told_until_, start - padding_)});
  };
  const std::optional<int64_t> start_now = tracker_.start();
  if (start_before && start_now != start_before && ended_.empty()) {
    events.push_back({SpeechEvent::Kind::dropped, *start_before});
  }
  for (const SpeechSegment& segment : ended_) {
    if (segment.start != start_before) tell_start(segment.start);
    told_until_ = std::min(segment.end + padding_, position_);
    // Speech that goes on after a split keeps the half of the pause before it.
    if (start_now) told_until_ = std::min(told_until_, (segment.end + *start_now) / 2);
    events.push_back({SpeechEvent::Kind::end, told_until_});
  }
  ended_.clear();
  if (start_now && start_now != start_before) tell_start(*start_now);
}

}  // namespace whisper_s4y
