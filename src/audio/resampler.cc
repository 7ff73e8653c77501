#include "audio/resampler.h"

#include <algorithm>
#include <cmath>

#include "common/fail.h"
#include "whisper_s4y/audio.h"

extern "C" {
#include <libavutil/opt.h>
}

namespace whisper_s4y {
namespace {

// The mix of full-scale channels stays within full scale, as it does in ffmpeg for 16-bit output;
// by default libswresample leaves float sums unscaled.
constexpr double kLargestMix = 1.0;

/// A layout that frees itself.
struct Layout {
  Layout() = default;
  ~Layout() { av_channel_layout_uninit(&value); }
  Layout(const Layout&) = delete;
  Layout& operator=(const Layout&) = delete;

  AVChannelLayout value{};
};

// A file that does not say where its channels stand is taken to have the usual places.
void assign_places(Layout& places, const AVChannelLayout& layout) {
  if (layout.order == AV_CHANNEL_ORDER_UNSPEC) {
    av_channel_layout_default(&places.value, layout.nb_channels);
  } else if (av_channel_layout_copy(&places.value, &layout) < 0) {
    throw std::bad_alloc();
  }
}

}  // namespace

std::vector<double> mix_weights(const AVChannelLayout& layout) {
  const auto channels = static_cast<size_t>(layout.nb_channels);
  std::vector<double> mean(channels, 1.0 / static_cast<double>(channels));
  Layout places;
  assign_places(places, layout);
  if (places.value.order == AV_CHANNEL_ORDER_UNSPEC) return mean;
  const AVChannelLayout mono = AV_CHANNEL_LAYOUT_MONO;
  // It writes as if there were as many channels as libswresample knows.
  constexpr size_t kKnown = 64;
  std::vector<double> matrix(kKnown * kKnown);
  // Levels of the centre, the surround and the low-frequency channels: libswresample's own.
  const int status =
      swr_build_matrix2(&places.value, &mono, M_SQRT1_2, M_SQRT1_2, 0.0, kLargestMix, 1.0,
                        matrix.data(), kKnown, AV_MATRIX_ENCODING_NONE, nullptr);
  if (status < 0) return mean;
  matrix.resize(channels);
  return matrix;
}

void Resampler::convert(const AVFrame& frame) {
  clear();
  if (swr_ != nullptr && !fits(frame)) append(nullptr, 0);
  if (swr_ == nullptr || !fits(frame)) configure(frame);
  append(const_cast<const uint8_t**>(frame.extended_data), frame.nb_samples);
  normalize();
}

void Resampler::flush() {
  clear();
  if (swr_ != nullptr) append(nullptr, 0);
  swr_.reset();
  normalize();
}

bool Resampler::fits(const AVFrame& frame) const {
  return frame.format == format_ && frame.sample_rate == rate_ &&
         av_channel_layout_compare(&frame.ch_layout, &layout_) == 0;
}

void Resampler::configure(const AVFrame& frame) {
  format_ = frame.format;
  rate_ = frame.sample_rate;
  if (av_channel_layout_copy(&layout_, &frame.ch_layout) < 0) throw std::bad_alloc();

  using Kind = ChannelChoice::Kind;
  const int channels = layout_.nb_channels;
  if (choice_.kind == Kind::one && choice_.index >= channels) {
    fail(ErrorCode::not_found, "{} has no channel {}: it has {}, counted from 1.", name_,
         choice_.index + 1, channels);
  }
  Layout places;
  assign_places(places, layout_);
  AVChannelLayout mono = AV_CHANNEL_LAYOUT_MONO;
  const bool each = choice_.kind == Kind::each;
  out_.resize(each ? static_cast<size_t>(channels) : 1);
  SwrContext* swr = nullptr;
  int status = swr_alloc_set_opts2(&swr, each ? &places.value : &mono, AV_SAMPLE_FMT_FLTP,
                                   kSampleRate, &places.value, static_cast<AVSampleFormat>(format_),
                                   rate_, kSilent, nullptr);
  swr_.reset(swr);
  if (status >= 0) status = av_opt_set_double(swr, "rematrix_maxval", kLargestMix, 0);
  if (status >= 0 && channels > 1 && choice_.kind == Kind::one) {
    std::vector<double> one(static_cast<size_t>(channels), 0.0);
    one[static_cast<size_t>(choice_.index)] = 1.0;
    status = swr_set_matrix(swr, one.data(), channels);
  } else if (status >= 0 && channels > 1 && choice_.kind == Kind::mix &&
             places.value.order == AV_CHANNEL_ORDER_UNSPEC) {
    // So many channels have no usual places: the mean of all.
    status = swr_set_matrix(swr, mix_weights(layout_).data(), channels);
  }
  if (status >= 0) status = swr_init(swr);
  if (status < 0) {
    fail("{}: cannot convert audio of {} Hz with {} channels: {}.", name_, rate_, channels,
         ffmpeg_error(status));
  }
}

void Resampler::append(const uint8_t** data, int samples) {
  const int room = swr_get_out_samples(swr_.get(), samples);
  if (room < 0) fail("{}: cannot resample: {}.", name_, ffmpeg_error(room));
  const size_t before = out_.front().size();
  std::vector<uint8_t*> targets;
  for (std::vector<float>& output : out_) {
    output.resize(before + static_cast<size_t>(room));
    targets.push_back(reinterpret_cast<uint8_t*>(output.data() + before));
  }
  const int written = swr_convert(swr_.get(), targets.data(), room, data, samples);
  if (written < 0) fail("{}: cannot resample: {}.", name_, ffmpeg_error(written));
  for (std::vector<float>& output : out_) output.resize(before + static_cast<size_t>(written));
}

void Resampler::clear() {
  for (std::vector<float>& output : out_) output.clear();
}

void Resampler::normalize() {
  for (std::vector<float>& output : out_) {
    for (float& sample : output) {
      // False for NaN, which a damaged float file may hold: silence.
      sample = sample >= -1.0F ? std::min(sample, 1.0F) : (sample < -1.0F ? -1.0F : 0.0F);
    }
  }
}

}  // namespace whisper_s4y
