#include "transcribe/speech_windows.h"

#include <algorithm>

#include "common/front_end.h"

namespace whisper_s4y {
namespace {

constexpr float kThreshold = 0.5F;   // VadOptions::threshold
constexpr size_t kHeardAtOnce = 32;  // chunks, about a second
constexpr size_t kEnough = 32;       // chunks of speech that a window needs to count
constexpr int kSoon = 500;           // frames: speech that begins so soon does not move the window
constexpr int kPadding = 40;         // frames before the speech

size_t chunk_of(int frame) { return static_cast<size_t>(frame) * kHopLength / kVadChunk; }
int frame_of(size_t chunk) { return static_cast<int>(chunk * kVadChunk / kHopLength); }

}  // namespace

void SpeechWindows::enter_clip() {
  const auto [begin, end] = clips_.front();
  in_clip_ = true;
  position_ = begin;
  clip_ = audio_.subspan(static_cast<size_t>(begin) * kHopLength,
                         static_cast<size_t>(end - begin) * kHopLength);
  speech_probs_.clear();
  if (detector_) detector_().reset();
}

// Whole chunks only: what is left of them at the end of a clip is too short to be speech.
bool SpeechWindows::is_speech(size_t chunk) {
  while (chunk >= speech_probs_.size()) {
    const size_t heard = speech_probs_.size();
    const size_t count = std::min(kHeardAtOnce, clip_.size() / kVadChunk - heard);
    speech_probs_.resize(heard + count);
    detector_().hear(clip_.subspan(heard * kVadChunk, count * kVadChunk),
                     std::span(speech_probs_).last(count));
  }
  return speech_probs_[chunk] >= kThreshold;
}

std::optional<int> SpeechWindows::next() {
  for (; !clips_.empty(); clips_ = clips_.subspan(1), in_clip_ = false) {
    const auto [clip_begin, clip_end] = clips_.front();
    if (clip_end <= clip_begin) continue;
    if (!in_clip_) enter_clip();
    while (position_ < clip_end) {
      int begin = position_;
      size_t speech = kEnough;
      if (detector_) {
        const size_t chunks = clip_.size() / kVadChunk;
        size_t first = chunk_of(begin - clip_begin);
        while (first < chunks && !is_speech(first)) ++first;
        if (first >= chunks) break;
        const int speech_begin = clip_begin + frame_of(first);
        if (speech_begin - begin > kSoon) begin = speech_begin - kPadding;
        const size_t end = std::min(chunks, chunk_of(begin - clip_begin + kWindowFrames));
        speech = 0;
        for (size_t i = first; i < end && speech < kEnough; ++i) speech += is_speech(i) ? 1 : 0;
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
