#include "audio/resampler.h"

#include <algorithm>

#include "whisper_s4y/audio.h"
#include "whisper_s4y/error.h"

extern "C" {
#include <libavutil/opt.h>
}

namespace whisper_s4y {

std::span<const float> Resampler::convert(const AVFrame& frame) {
  out_.clear();
  if (swr_ != nullptr && !fits(frame)) append(nullptr, 0);
  if (swr_ == nullptr || !fits(frame)) configure(frame);
  append(const_cast<const uint8_t**>(frame.extended_data), frame.nb_samples);
  return normalized();
}

std::span<const float> Resampler::flush() {
  out_.clear();
  if (swr_ != nullptr) append(nullptr, 0);
  swr_.reset();
  return normalized();
}

bool Resampler::fits(const AVFrame& frame) const {
  return frame.format == format_ && frame.sample_rate == rate_ &&
         av_channel_layout_compare(&frame.ch_layout, &layout_) == 0;
}

void Resampler::configure(const AVFrame& frame) {
  format_ = frame.format;
  rate_ = frame.sample_rate;
  if (av_channel_layout_copy(&layout_, &frame.ch_layout) < 0) throw std::bad_alloc();

  // A file that does not say where its channels stand is taken to have the usual places.
  const int channels = layout_.nb_channels;
  AVChannelLayout places{};
  if (layout_.order == AV_CHANNEL_ORDER_UNSPEC) {
    av_channel_layout_default(&places, channels);
  } else if (av_channel_layout_copy(&places, &layout_) < 0) {
    throw std::bad_alloc();
  }
  AVChannelLayout mono = AV_CHANNEL_LAYOUT_MONO;
  SwrContext* swr = nullptr;
  int status = swr_alloc_set_opts2(&swr, &mono, AV_SAMPLE_FMT_FLT, kSampleRate, &places,
                                   static_cast<AVSampleFormat>(format_), rate_, kSilent, nullptr);
  swr_.reset(swr);
  // The mix of full-scale channels stays within full scale, as it does in ffmpeg for 16-bit output;
  // by default libswresample leaves float sums unscaled.
  if (status >= 0) status = av_opt_set_double(swr, "rematrix_maxval", 1.0, 0);
  if (status >= 0 && places.order == AV_CHANNEL_ORDER_UNSPEC && channels > 1) {
    // So many channels have no usual places: the mean of all.
    const std::vector<double> mean(static_cast<size_t>(channels), 1.0 / channels);
    status = swr_set_matrix(swr, mean.data(), channels);
  }
  av_channel_layout_uninit(&places);
  if (status >= 0) status = swr_init(swr);
  if (status < 0) {
    fail("{}: cannot convert audio of {} Hz with {} channels: {}.", name_, rate_, channels,
         ffmpeg_error(status));
  }
}

void Resampler::append(const uint8_t** data, int samples) {
  const int room = swr_get_out_samples(swr_.get(), samples);
  if (room < 0) fail("{}: cannot resample: {}.", name_, ffmpeg_error(room));
  const size_t before = out_.size();
  out_.resize(before + static_cast<size_t>(room));
  auto* target = reinterpret_cast<uint8_t*>(out_.data() + before);
  const int written = swr_convert(swr_.get(), &target, room, data, samples);
  if (written < 0) fail("{}: cannot resample: {}.", name_, ffmpeg_error(written));
  out_.resize(before + static_cast<size_t>(written));
}

std::span<const float> Resampler::normalized() {
  for (float& sample : out_) {
    // False for NaN, which a damaged float file may hold: silence.
    sample = sample >= -1.0F ? std::min(sample, 1.0F) : (sample < -1.0F ? -1.0F : 0.0F);
  }
  return out_;
}

}  // namespace whisper_s4y
