// Any sample type, rate and number of channels to float32 at 16 kHz.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "audio/channel_choice.h"
#include "audio/ffmpeg.h"

namespace whisper_s4y {

/// The part of each channel in libswresample's mix to mono, in which full-scale channels stay
/// within full scale. Channels without a usual place count alike.
[[nodiscard]] std::vector<double> mix_weights(const AVChannelLayout& layout);

/// Mixes or picks channels and resamples frames with libswresample in ffmpeg's default setting: a
/// Kaiser-windowed sinc, polyphase. A frame of another form than the one before (some streams
/// change) begins a new conversion.
class Resampler {
 public:
  Resampler(std::string name, ChannelChoice choice) : name_(std::move(name)), choice_(choice) {}
  ~Resampler() { av_channel_layout_uninit(&layout_); }
  Resampler(const Resampler&) = delete;
  Resampler& operator=(const Resampler&) = delete;

  /// Replace samples(). Some stay inside until more follow or flush().
  void convert(const AVFrame& frame);
  void flush();

  /// Channels that come out; 0 before the first frame.
  [[nodiscard]] int outputs() const { return static_cast<int>(out_.size()); }
  /// What came out of the last call, in [-1, 1].
  [[nodiscard]] std::span<const float> samples(int output) const {
    return out_[static_cast<size_t>(output)];
  }

 private:
  [[nodiscard]] bool fits(const AVFrame& frame) const;
  void configure(const AVFrame& frame);
  // Appends to out_; no data drains what is inside.
  void append(const uint8_t** data, int samples);
  void clear();
  void normalize();

  std::string name_;  // the file's, for messages
  ChannelChoice choice_;
  SwrPtr swr_;
  AVChannelLayout layout_{};
  int format_ = -1;
  int rate_ = 0;
  std::vector<std::vector<float>> out_;  // by channel
};

}  // namespace whisper_s4y
