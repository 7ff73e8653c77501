// Sound without a header, as it comes over a network.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

namespace whisper_s4y {

/// What the bytes mean. Integers are little-endian; those of 8 bits have no sign, as in .wav files.
struct RawAudioFormat {
  enum class Coding { pcm8, pcm16, pcm24, pcm32, mu_law, a_law } coding = Coding::pcm16;
  int sample_rate = 16'000;
  int channels = 1;

  bool operator==(const RawAudioFormat&) const = default;
};

/// Makes mono samples at 16 kHz in [-1, 1] of bytes that come in pieces of any size: what comes out
/// does not depend on where the pieces end.
class RawAudioStream {
 public:
  static constexpr int kLowestRate = 4'000;
  static constexpr int kHighestRate = 384'000;
  static constexpr int kMostChannels = 16;

  /// Throws Error when there is no such format.
  explicit RawAudioStream(const RawAudioFormat& format);
  ~RawAudioStream();
  RawAudioStream(RawAudioStream&&) noexcept;
  RawAudioStream& operator=(RawAudioStream&&) noexcept;

  /// What came out, until the next call; the last few samples wait for those that follow.
  [[nodiscard]] std::span<const float> push(std::span<const std::byte> bytes);
  /// What is left. Then the next sound may begin.
  [[nodiscard]] std::span<const float> finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Bytes of one sample of all channels.
[[nodiscard]] size_t bytes_per_frame(const RawAudioFormat& format);

}  // namespace whisper_s4y
