#include "transcribe/log_mel.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "decoding/logit_math.h"

namespace whisper_s4y {
namespace {

// Frames at each end of a window whose neighbourhood is not all there. Three, because then even the
// samples the front end reflects at the ends are zeros.
constexpr int kEdgeFrames = 3;
// The front end maps log10 power l to (l + 4) / 4.
constexpr float kSilence = (-10.0F + 4.0F) / 4.0F;
constexpr float kInaudible = (-7.5F + 4.0F) / 4.0F;
constexpr float kDynamicRange = 8.0F / 4.0F;
// How often a window is moved when a cut-off frame at its end is louder than all whole frames.
constexpr int kMoves = 8;

// Samples [begin, end) of the endless signal "recording, then silence".
void copy_samples(std::span<const float> audio, int64_t begin, int64_t end, float* out) {
  const int64_t size = static_cast<int64_t>(audio.size());
  const int64_t from = std::clamp<int64_t>(begin, 0, size);
  const int64_t to = std::clamp<int64_t>(end, from, size);
  std::copy(audio.data() + from, audio.data() + to, out + (from - begin));
}

}  // namespace

LogMel::LogMel(DecoderModel& model, std::span<const float> audio)
    : num_mel_bins_(model.info().config.num_mel_bins),
      content_frames_(static_cast<int>(audio.size() / kHopLength)),
      // The last frame whose 400 samples reach into the recording.
      frames_(static_cast<int>((audio.size() + kFftSize / 2 + kHopLength - 1) / kHopLength)),
      data_(static_cast<size_t>(num_mel_bins_) * static_cast<size_t>(frames_)) {
  std::vector<float> samples(kWindowSamples);
  std::vector<float> logmel(static_cast<size_t>(num_mel_bins_) * kWindowFrames);
  const auto row = [&](int bin) {
    return logmel.data() + static_cast<size_t>(bin) * kWindowFrames;
  };
  const auto max_of = [&](int begin, int end) {
    float result = kSilence;
    for (int bin = 0; bin < num_mel_bins_; ++bin) {
      result = std::max(result, max_logit({row(bin) + begin, row(bin) + end}));
    }
    return result;
  };

  float maximum = kSilence;
  for (int next = 0; next < frames_;) {
    // Local frames [first, last) of the window are frames next, next + 1, ... of the recording.
    int first = next == 0 ? 0 : kEdgeFrames;
    int last = 0;
    float kept = kSilence;
    for (int move = 0;; ++move) {
      const int room = kWindowFrames - kEdgeFrames - (next == 0 ? move : 0);
      last = std::min(first + frames_ - next, room);
      const int64_t origin = static_cast<int64_t>(next - first) * kHopLength;
      const int64_t begin = next == 0 ? 0 : static_cast<int64_t>(next) * kHopLength - kFftSize / 2;
      const int64_t end = origin + static_cast<int64_t>(last - 1) * kHopLength + kFftSize / 2;
      std::fill(samples.begin(), samples.end(), 0.0F);
      copy_samples(audio, begin, end, samples.data() + (begin - origin));
      model.features(samples, logmel);
      kept = max_of(first, last);
      const float cut_off = std::max(max_of(0, first), max_of(last, kWindowFrames));
      if (cut_off <= std::max(kept, maximum) || move == kMoves) break;
      if (next > 0) ++first;
    }
    maximum = std::max(maximum, kept);
    for (int bin = 0; bin < num_mel_bins_; ++bin) {
      std::copy(row(bin) + first, row(bin) + last,
                data_.begin() + static_cast<ptrdiff_t>(bin) * frames_ + next);
    }
    next += last - first;
  }

  const float floor = maximum - kDynamicRange;
  for (float& value : data_) value = std::max(value, floor);
  silence_ = std::max(kSilence, floor);
}

void LogMel::copy(int begin, int count, float rest, std::span<float> logmel) const {
  const int from = std::clamp(begin, 0, frames_);
  const int whole = std::clamp(frames_ - from, 0, count);
  for (int bin = 0; bin < num_mel_bins_; ++bin) {
    const float* source = data_.data() + static_cast<ptrdiff_t>(bin) * frames_ + from;
    float* target = logmel.data() + static_cast<ptrdiff_t>(bin) * kWindowFrames;
    std::copy(source, source + whole, target);
    std::fill(target + whole, target + kWindowFrames, rest);
  }
}

bool LogMel::is_silent(int begin, int count) const {
  const int first = std::clamp(begin, 0, frames_);
  const int last = std::clamp(begin + count, first, frames_);
  const float limit = std::max(kInaudible, silence_);
  for (int bin = 0; bin < num_mel_bins_; ++bin) {
    const float* row = data_.data() + static_cast<ptrdiff_t>(bin) * frames_;
    if (std::any_of(row + first, row + last, [&](float value) { return value > limit; })) {
      return false;
    }
  }
  return true;
}

std::vector<SoundSpan> LogMel::audible_spans(int shortest) const {
  const float limit = std::max(kInaudible, silence_);
  std::vector<char> audible(static_cast<size_t>(frames_));
  for (int bin = 0; bin < num_mel_bins_; ++bin) {
    const float* row = data_.data() + static_cast<ptrdiff_t>(bin) * frames_;
    for (size_t i = 0; i < audible.size(); ++i) audible[i] |= static_cast<char>(row[i] > limit);
  }
  std::vector<SoundSpan> spans;
  const int frames = std::min(frames_, content_frames_);
  int end = 0;  // of the last span
  for (int i = 0; i < frames; ++i) {
    if (audible[static_cast<size_t>(i)] == 0) continue;
    const bool parted = i - end >= shortest;
    if (spans.empty() || parted) spans.push_back({.begin = (parted ? i : 0) / kFramesPerSecond});
    end = i + 1;
    spans.back().end = end / kFramesPerSecond;
  }
  if (!spans.empty() && frames - end < shortest) spans.back().end = frames / kFramesPerSecond;
  return spans;
}

void LogMel::padded_window(int begin, int count, std::span<float> logmel) const {
  copy(begin, count, 0.0F, logmel);
}

void LogMel::window(int begin, std::span<float> logmel) const {
  copy(begin, kWindowFrames, silence_, logmel);
}

}  // namespace whisper_s4y
