// From the channels of a file to those that are transcribed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "audio/resampler.h"

namespace whisper_s4y {

/// Takes frames to the samples of the channels asked for. Channels of a mix that cancel each other
/// out (one is the other upside down, as happens with balanced cables) give nearly nothing
/// together: there the loudest is taken alone.
class ChannelReader {
 public:
  /// `channels` of the file; throws Error when the one asked for is not among them.
  ChannelReader(std::string name, ChannelChoice choice, int channels);

  /// Channels given out: one, or all.
  [[nodiscard]] int outputs() const { return outputs_; }

  /// A piece of each output, as long as one another, valid until the next call.
  const std::vector<std::span<const float>>& convert(const AVFrame& frame);
  const std::vector<std::span<const float>>& flush();

  /// Seconds that one channel was taken alone, and which it was for the longest time.
  [[nodiscard]] double cancelled_seconds() const;
  [[nodiscard]] int loudest() const;

 private:
  const std::vector<std::span<const float>>& pieces();
  void watch(const AVFrame& frame);
  [[nodiscard]] bool cancel_out(std::span<const float> mix, size_t samples);

  std::string name_;
  ChannelChoice choice_;
  int outputs_ = 1;
  Resampler wanted_;                  // the mix, the one channel, or all of them
  std::optional<Resampler> all_;      // beside a mix of several
  std::vector<double> weights_;       // of the channels in the mix
  std::vector<double> powers_;        // lately, of each channel
  double mix_power_ = 0;              //
  std::vector<int64_t> taken_alone_;  // samples, of each channel
  std::vector<std::span<const float>> pieces_;
};

}  // namespace whisper_s4y
