// Any sample type, rate and number of channels to mono float32 at 16 kHz.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "audio/ffmpeg.h"

namespace whisper_s4y {

/// Mixes and resamples frames with libswresample in ffmpeg's default setting: a Kaiser-windowed
/// sinc, polyphase. A frame of another form than the one before (some streams change) begins a new
/// conversion.
class Resampler {
 public:
  explicit Resampler(std::string name) : name_(std::move(name)) {}
  ~Resampler() { av_channel_layout_uninit(&layout_); }
  Resampler(const Resampler&) = delete;
  Resampler& operator=(const Resampler&) = delete;

  /// Samples in [-1, 1], valid until the next call. Some stay inside until more follow or flush().
  std::span<const float> convert(const AVFrame& frame);
  std::span<const float> flush();

 private:
  [[nodiscard]] bool fits(const AVFrame& frame) const;
  void configure(const AVFrame& frame);
  // Appends to out_; no data drains what is inside.
  void append(const uint8_t** data, int samples);
  std::span<const float> normalized();

  std::string name_;  // the file's, for messages
  SwrPtr swr_;
  AVChannelLayout layout_{};
  int format_ = -1;
  int rate_ = 0;
  std::vector<float> out_;
};

}  // namespace whisper_s4y
