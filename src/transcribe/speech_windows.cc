#include "transcribe/speech_windows.h"

#include <algorithm>

#include "config/front_end.h"

namespace whisper_s4y {
namespace {

constexpr float kThreshold = 0.5F;    // VadOptions::threshold
constexpr int64_t kHeardAtOnce = 32;  // chunks, about a second
constexpr size_t kEnough = 32;        // chunks of speech that a window needs to count
constexpr int kSoon = 500;            // frames: speech that begins so soon does not move the window
constexpr int kPadding = 40;          // frames before the speech

size_t chunk_of(int frame) { return static_cast<size_t>(frame) * kHopLength / kVadChunk; }
int frame_of(size_t chunk) { return static_cast<int>(chunk * kVadChunk / kHopLength); }

}  // namespace

// The end of what may be heard, when it comes before `sample`.
int64_t SpeechWindows::limit(int64_t sample) const {
  return sound_.can_rewind() ? sample : std::min(sample, kLookAhead);
}

void SpeechWindows::enter_clip() {
  const auto [begin, end] = clips_.front();
  in_clip_ = true;
  position_ = begin;
  clip_begin_ = int64_t{begin} * kHopLength;
  clip_end_ = limit(int64_t{end} * kHopLength);
  speech_probs_.clear();
  if (detector_) detector_().reset();
}

// Whether the clip and the recording go on at the frame.
bool SpeechWindows::is_within(int frame) {
  const int64_t end = int64_t{frame + 1} * kHopLength;
  return end <= clip_end_ && sound_.reaches(end);
}

// Nothing after the last whole chunk: what is left at the end of a clip is too short to be speech.
std::optional<bool> SpeechWindows::is_speech(size_t chunk) {
  while (chunk >= speech_probs_.size()) {
    const auto heard = static_cast<int64_t>(speech_probs_.size());
    const int64_t begin = clip_begin_ + heard * kVadChunk;
    if (!sound_.reaches(std::min(clip_end_, begin + kHeardAtOnce * kVadChunk))) {
      clip_end_ = std::min(clip_end_, *sound_.size() / kHopLength * kHopLength);
    }
    const int64_t count = std::min(kHeardAtOnce, (clip_end_ - begin) / kVadChunk);
    if (count <= 0) return std::nullopt;
    const std::vector<float> samples = sound_.copy(begin, begin + count * kVadChunk);
    speech_probs_.resize(static_cast<size_t>(heard + count));
    detector_().hear(samples, std::span(speech_probs_).last(static_cast<size_t>(count)));
  }
  return speech_probs_[chunk] >= kThreshold;
}

std::optional<int> SpeechWindows::next() {
  for (; !clips_.empty(); clips_ = clips_.subspan(1), in_clip_ = false) {
    const auto [clip_begin, clip_end] = clips_.front();
    if (clip_end <= clip_begin) continue;
    if (!in_clip_) enter_clip();
    while (position_ < clip_end && is_within(position_)) {
      int begin = position_;
      size_t speech = kEnough;
      if (detector_) {
        size_t first = chunk_of(begin - clip_begin);
        while (is_speech(first) == false) ++first;
        if (!is_speech(first)) break;
        const int speech_begin = clip_begin + frame_of(first);
        if (speech_begin - begin > kSoon) begin = speech_begin - kPadding;
        const size_t end = chunk_of(begin - clip_begin + kWindowFrames);
        speech = 0;
        for (size_t i = first; i < end && is_speech(i) && speech < kEnough; ++i) {
          speech += *is_speech(i) ? 1 : 0;
        }
      }
      position_ = begin + kWindowFrames;
      if (speech >= kEnough) {
        found_ = true;
        return begin;
      }
      if (speech > spare_speech_) {
        spare_speech_ = speech;
        spare_ = begin;
      }
    }
  }
  if (found_) return std::nullopt;
  found_ = true;
  return spare_.value_or(fallback_);
}

}  // namespace whisper_s4y
