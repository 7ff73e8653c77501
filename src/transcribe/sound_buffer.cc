#include "transcribe/sound_buffer.h"

#include <algorithm>

#include "common/fail.h"

namespace whisper_s4y {
namespace {

constexpr int64_t kBlock = kSampleRate;  // samples

}  // namespace

void SoundBuffer::throw_if_cancelled() const {
  if (cancellation_ != nullptr) cancellation_->check();
}

bool SoundBuffer::fill_unless_cancelled() {
  throw_if_cancelled();
  return fill();
}

bool SoundBuffer::reaches(int64_t count) {
  if (size_) return *size_ >= count;
  while (end_ < count) {
    if (!fill_unless_cancelled()) {
      size_ = end_;
      return false;
    }
  }
  return true;
}

void SoundBuffer::copy(int64_t begin, int64_t end, float* out) {
  std::fill(out, out + (end - begin), 0.0F);
  const int64_t from = std::max<int64_t>(begin, 0);
  int64_t to = size_ ? std::min(end, *size_) : end;
  if (from >= to) return;
  if (from < begin_) {
    if (!can_rewind()) {
      fail(ErrorCode::unsupported,
           "The recording is needed again from {:.1f} s on, but a pipe can be read only once; give "
           "it as a file.",
           static_cast<double>(from) / kSampleRate);
    }
    restart();
    blocks_.clear();
    begin_ = end_ = 0;
  }
  // Not with reaches(): the size may be known from before.
  while (end_ < to && fill_unless_cancelled()) continue;
  if (end_ < to && !size_) size_ = end_;
  to = std::min(to, end_);
  for (int64_t at = from; at < to;) {
    const auto block = static_cast<size_t>((at - begin_) / kBlock);
    const int64_t offset = (at - begin_) % kBlock;
    const int64_t count = std::min(kBlock - offset, to - at);
    std::copy_n(blocks_[block].begin() + offset, count, out + (at - begin));
    at += count;
  }
}

std::vector<float> SoundBuffer::copy(int64_t begin, int64_t end) {
  std::vector<float> samples(static_cast<size_t>(end - begin));
  copy(begin, end, samples.data());
  return samples;
}

void SoundBuffer::append(std::span<const float> samples) {
  while (!samples.empty()) {
    if (blocks_.empty() || blocks_.back().size() == kBlock) {
      forget();
      blocks_.emplace_back().reserve(kBlock);
    }
    std::vector<float>& block = blocks_.back();
    const size_t count = std::min(samples.size(), kBlock - block.size());
    block.insert(block.end(), samples.begin(), samples.begin() + static_cast<ptrdiff_t>(count));
    samples = samples.subspan(count);
    end_ += static_cast<int64_t>(count);
  }
}

void SoundBuffer::forget() { forget_before(end_ - kept_); }

void SoundBuffer::forget_before(int64_t sample) {
  while (begin_ + kBlock <= std::min(sample, end_)) {
    blocks_.pop_front();
    begin_ += kBlock;
  }
}

void MemorySound::copy(int64_t begin, int64_t end, float* out) {
  throw_if_cancelled();
  std::fill(out, out + (end - begin), 0.0F);
  const int64_t from = std::max<int64_t>(begin, 0);
  const int64_t to = std::min(end, static_cast<int64_t>(samples_.size()));
  if (from < to) std::copy(samples_.begin() + from, samples_.begin() + to, out + (from - begin));
}

double MemorySound::total_seconds() const {
  return static_cast<double>(samples_.size()) / kSampleRate;
}

DecodedSound::DecodedSound(AudioReader& reader, int64_t kept)
    : SoundBuffer(kept),
      reader_(reader),
      stated_seconds_(reader.stated_seconds()),
      samples_(static_cast<size_t>(kBlock)) {}

bool DecodedSound::fill() {
  const size_t count = reader_.read(samples_);
  append(std::span(samples_).first(count));
  return count > 0;
}

int64_t DecodedSound::look_ahead(int64_t position) {
  return position + (can_rewind() ? kLookAhead : kLookAheadInPipe);
}

double DecodedSound::total_seconds() const {
  if (size()) return static_cast<double>(*size()) / kSampleRate;
  if (stated_seconds_ == 0) return 0;
  return std::max(stated_seconds_, static_cast<double>(heard()) / kSampleRate);
}

}  // namespace whisper_s4y
