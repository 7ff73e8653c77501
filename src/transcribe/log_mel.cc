#include "transcribe/log_mel.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "decoding/logit_math.h"

namespace whisper_s4y {
namespace {

// Frames at each end of a piece whose neighbourhood is not all there. Three, because then even the
// samples the front end reflects at the ends are zeros.
constexpr int kEdgeFrames = 3;
constexpr float scaled(float log) { return (log + kLogShift) * kLogFactor; }
constexpr float kSilence = scaled(kLogOfLeastEnergy);
constexpr float kInaudible = scaled(-7.5F);
constexpr float kDynamicRange = kLogRange * kLogFactor;
// How often a piece is moved when a cut-off frame at its end is louder than all whole frames.
constexpr int kMoves = 8;
constexpr auto kKeptFrames = static_cast<int>(kKeptSound / kHopLength);

// Samples that a recording has, at least, whose last sample is in the sight of `frames` frames.
int64_t samples_of_frames(int frames) {
  return int64_t{frames} * kHopLength - kFftSize / 2 - kHopLength + 1;
}

}  // namespace

LogMel::LogMel(DecoderModel& model, SoundBuffer& sound)
    : model_(model),
      sound_(sound),
      num_mel_bins_(model.info().config.num_mel_bins),
      maximum_(kSilence),
      samples_(kWindowSamples),
      logmel_(static_cast<size_t>(num_mel_bins_) * kWindowFrames) {}

std::optional<int> LogMel::content_frames() const {
  if (!sound_.size()) return std::nullopt;
  return static_cast<int>(*sound_.size() / kHopLength);
}

// Up to the last frame whose 400 samples reach into the recording; later ones are silence.
std::optional<int> LogMel::frames() const {
  if (!sound_.size()) return std::nullopt;
  return static_cast<int>((*sound_.size() + kFftSize / 2 + kHopLength - 1) / kHopLength);
}

float LogMel::floor() const { return maximum_ - kDynamicRange; }

void LogMel::hear(int begin) {
  if (!pieces_.empty() && begin < pieces_.front().begin) begin_at(begin);
  const int window_end = begin + kWindowFrames;
  const int64_t position = int64_t{window_end} * kHopLength;
  // Frames are smaller than the sound they are made of, which need not wait then.
  while (sound_.hear_ahead(position)) {
    const int whole = next_ + kWindowFrames;
    if (samples_of_frames(whole) <= sound_.heard()) add_piece(whole);
  }
  const int64_t ahead = sound_.look_ahead(position);
  int until = std::max(window_end, static_cast<int>(ahead / kHopLength));
  if (!sound_.reaches(samples_of_frames(until))) until = *frames();
  while (next_ < until) add_piece(until);
}

void LogMel::begin_at(int frame) {
  pieces_.clear();
  next_ = frame;
}

// Frames from next_ on, as many as a piece has room for, up to `until`.
void LogMel::add_piece(int until) {
  const auto row = [&](int bin) {
    return logmel_.data() + static_cast<size_t>(bin) * kWindowFrames;
  };
  const auto max_of = [&](int begin, int end) {
    float result = kSilence;
    for (int bin = 0; bin < num_mel_bins_; ++bin) {
      result = std::max(result, max_logit({row(bin) + begin, row(bin) + end}));
    }
    return result;
  };

  // Local frames [first, last) of the piece are frames next_, next_ + 1, ... of the recording.
  int first = next_ == 0 ? 0 : kEdgeFrames;
  int last = 0;
  for (int move = 0;; ++move) {
    const int room = kWindowFrames - kEdgeFrames - (next_ == 0 ? move : 0);
    last = std::min(first + until - next_, room);
    const int64_t origin = int64_t{next_ - first} * kHopLength;
    const int64_t begin = next_ == 0 ? 0 : int64_t{next_} * kHopLength - kFftSize / 2;
    const int64_t end = origin + int64_t{last - 1} * kHopLength + kFftSize / 2;
    std::fill(samples_.begin(), samples_.end(), 0.0F);
    sound_.copy(begin, end, samples_.data() + (begin - origin));
    model_.features(samples_, logmel_);
    const float kept = max_of(first, last);
    const float cut_off = std::max(max_of(0, first), max_of(last, kWindowFrames));
    if (cut_off <= std::max(kept, maximum_) || move == kMoves) {
      maximum_ = std::max(maximum_, kept);
      break;
    }
    if (next_ > 0) ++first;
  }

  Piece piece{.begin = next_, .count = last - first};
  const auto count = static_cast<size_t>(piece.count);
  piece.values.reserve(static_cast<size_t>(num_mel_bins_) * count);
  piece.loudest.assign(count, kSilence);
  for (int bin = 0; bin < num_mel_bins_; ++bin) {
    const float* values = row(bin) + first;
    piece.values.insert(piece.values.end(), values, values + count);
    for (size_t i = 0; i < count; ++i) piece.loudest[i] = std::max(piece.loudest[i], values[i]);
  }
  next_ += piece.count;
  pieces_.push_back(std::move(piece));
  sound_.done_before(int64_t{next_} * kHopLength - kFftSize / 2);
  forget();
}

void LogMel::forget() {
  while (next_ - (pieces_.front().begin + pieces_.front().count) >= kKeptFrames) {
    pieces_.pop_front();
  }
}

void LogMel::copy(int begin, int count, float rest, std::span<float> logmel) {
  hear(begin);
  const float lowest = floor();
  for (int bin = 0; bin < num_mel_bins_; ++bin) {
    float* target = logmel.data() + static_cast<ptrdiff_t>(bin) * kWindowFrames;
    std::fill(target, target + kWindowFrames, rest);
  }
  for (const Piece& piece : pieces_) {
    const int from = std::max(begin, piece.begin);
    const int to = std::min(begin + count, piece.begin + piece.count);
    if (from >= to) continue;
    for (int bin = 0; bin < num_mel_bins_; ++bin) {
      const float* source = piece.values.data() + static_cast<ptrdiff_t>(bin) * piece.count;
      float* target = logmel.data() + static_cast<ptrdiff_t>(bin) * kWindowFrames;
      std::transform(source + (from - piece.begin), source + (to - piece.begin),
                     target + (from - begin), [&](float value) { return std::max(value, lowest); });
    }
  }
}

bool LogMel::is_silent(int begin, int count) const {
  const float limit = std::max(kInaudible, floor());
  for (const Piece& piece : pieces_) {
    const int from = std::max(begin, piece.begin) - piece.begin;
    const int to = std::min(begin + count, piece.begin + piece.count) - piece.begin;
    for (int i = from; i < to; ++i) {
      if (piece.loudest[static_cast<size_t>(i)] > limit) return false;
    }
  }
  return true;
}

void LogMel::padded_window(int begin, int count, std::span<float> logmel) {
  copy(begin, count, 0.0F, logmel);
}

void LogMel::window(int begin, std::span<float> logmel) {
  hear(begin);
  copy(begin, kWindowFrames, std::max(kSilence, floor()), logmel);
}

}  // namespace whisper_s4y
