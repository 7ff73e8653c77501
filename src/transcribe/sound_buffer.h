// The sound of a recording around the place where it is being transcribed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "common/cancellation.h"
#include "whisper_s4y/audio.h"

namespace whisper_s4y {

/// How far ahead of a window a recording is heard, so that its loudness is known: 5 minutes.
inline constexpr int64_t kLookAhead = int64_t{300} * kSampleRate;
/// The same of a pipe, whose sound may come no faster than it is spoken.
inline constexpr int64_t kLookAheadInPipe = int64_t{2} * kSampleRate;

/// Samples by their place in the recording, which are read when they are asked for and forgotten
/// when enough others have come. What was forgotten is read again from the beginning, where that is
/// possible.
class SoundBuffer {
 public:
  virtual ~SoundBuffer() = default;
  SoundBuffer(const SoundBuffer&) = delete;
  SoundBuffer& operator=(const SoundBuffer&) = delete;

  /// From now on asked before more is read, which then throws Cancelled; null: no one.
  void set_cancellation(Cancellation* cancellation) { cancellation_ = cancellation; }

  /// Reads until there are `count` samples from the beginning on; false when the recording has
  /// fewer.
  bool reaches(int64_t count);

  /// Samples [begin, end); zeros before and after the recording. Throws Error when some were
  /// forgotten and cannot be read again.
  virtual void copy(int64_t begin, int64_t end, float* out);
  [[nodiscard]] std::vector<float> copy(int64_t begin, int64_t end);

  /// Samples from the beginning on that were read.
  [[nodiscard]] int64_t heard() const { return end_; }
  /// Samples in all, when that is known: at the latest once the end was heard.
  [[nodiscard]] std::optional<int64_t> size() const { return size_; }

  /// How many samples are to be heard before the window that ends at `position` is transcribed; the
  /// recording may have fewer.
  [[nodiscard]] virtual int64_t look_ahead(int64_t position) = 0;
  /// Hears some of that, where it is better taken little by little; false when there is no need.
  virtual bool hear_ahead([[maybe_unused]] int64_t position) { return false; }
  /// The log-mel frames are made of all samples before.
  virtual void done_before([[maybe_unused]] int64_t sample) {}
  /// Whether all of it can be heard before the first window is transcribed.
  [[nodiscard]] virtual bool can_rewind() const = 0;
  /// Seconds of the recording, as far as is known; 0: not known.
  [[nodiscard]] virtual double total_seconds() const = 0;

 protected:
  /// `kept`: samples that are kept at least.
  /// `size`: samples in all, if that is known.
  explicit SoundBuffer(int64_t kept, std::optional<int64_t> size = {}) : kept_(kept), size_(size) {}

  /// append()s some samples; false at the end.
  virtual bool fill() = 0;
  /// What fill() appends next is the beginning again.
  virtual void restart() = 0;
  void append(std::span<const float> samples);
  void forget_before(int64_t sample);
  void throw_if_cancelled() const;

 private:
  bool fill_unless_cancelled();
  void forget();

  Cancellation* cancellation_ = nullptr;
  int64_t kept_;
  std::optional<int64_t> size_;
  int64_t begin_ = 0;                      // of the first block
  int64_t end_ = 0;                        // of the last one
  std::deque<std::vector<float>> blocks_;  // all but the last one are full
};

/// A recording in memory, where it stays.
class MemorySound : public SoundBuffer {
 public:
  /// The samples outlive the object.
  explicit MemorySound(std::span<const float> samples)
      : SoundBuffer(0, static_cast<int64_t>(samples.size())), samples_(samples) {}

  using SoundBuffer::copy;
  void copy(int64_t begin, int64_t end, float* out) override;
  [[nodiscard]] int64_t look_ahead(int64_t position) override { return position + kLookAhead; }
  [[nodiscard]] bool can_rewind() const override { return true; }
  [[nodiscard]] double total_seconds() const override;

 private:
  bool fill() override { return false; }
  void restart() override {}

  std::span<const float> samples_;
};

/// A recording that is decoded meanwhile.
class DecodedSound : public SoundBuffer {
 public:
  /// Reads the reader's channel, of which nothing was read yet. The reader outlives the object.
  /// `kept` as of SoundBuffer.
  DecodedSound(AudioReader& reader, int64_t kept);

  [[nodiscard]] int64_t look_ahead(int64_t position) override;
  [[nodiscard]] bool can_rewind() const override { return reader_.can_rewind(); }
  [[nodiscard]] double total_seconds() const override;

 private:
  bool fill() override;
  void restart() override { reader_.rewind(); }

  AudioReader& reader_;
  double stated_seconds_;
  std::vector<float> samples_;
};

/// What whoever follows the end of what was heard needs: a window, and some more.
inline constexpr int64_t kJustHeard = int64_t{90} * kSampleRate;
/// What a walk from window to window needs that stays behind by the look-ahead.
inline constexpr int64_t kKeptSound = kLookAhead + kJustHeard;

}  // namespace whisper_s4y
