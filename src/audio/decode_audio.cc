#include <algorithm>
#include <utility>

#include "audio/audio_input.h"
#include "audio/resampler.h"
#include "common/boundary.h"
#include "whisper_s4y/audio.h"
#include "whisper_s4y/error.h"

namespace whisper_s4y {
namespace {

/// Takes the packets of an input through decoder and resampler to the sink.
class Decoding {
 public:
  Decoding(AudioInput& input, AudioSink sink)
      : input_(input), sink_(std::move(sink)), source_(input.source()), resampler_(input.name()) {}

  AudioSource run() {
    while (input_.read(packet_.get())) {
      send(packet_.get());
      av_packet_unref(packet_.get());
    }
    send(nullptr);
    give(resampler_.flush());
    if (source_.samples == 0) report_nothing();
    return source_;
  }

 private:
  // A null packet drains the decoder.
  void send(const AVPacket* packet) {
    packets_ += packet != nullptr;
    const int status = avcodec_send_packet(input_.decoder(), packet);
    if (status == AVERROR(ENOMEM)) throw std::bad_alloc();
    if (status < 0) {
      source_.corrupt_packets += packet != nullptr;
      return;
    }
    for (;;) {
      const int received = avcodec_receive_frame(input_.decoder(), frame_.get());
      if (received == AVERROR(EAGAIN) || received == AVERROR_EOF) return;
      if (received == AVERROR(ENOMEM)) throw std::bad_alloc();
      if (received < 0) {
        source_.corrupt_packets += packet != nullptr;
        return;
      }
      if (frame_->nb_samples > 0 && frame_->sample_rate > 0) {
        source_.sample_rate = frame_->sample_rate;
        source_.channels = frame_->ch_layout.nb_channels;
        give(resampler_.convert(*frame_));
      }
      av_frame_unref(frame_.get());
    }
  }

  void give(std::span<const float> samples) {
    if (samples.empty()) return;
    source_.samples += static_cast<int64_t>(samples.size());
    sink_(samples);
  }

  [[noreturn]] void report_nothing() const {
    if (source_.corrupt_packets > 0) {
      fail("{} holds no {} audio that can be decoded: {} of {} packets are damaged.", input_.name(),
           source_.codec, source_.corrupt_packets, packets_);
    }
    fail("{} has an audio stream without any sound in it{}.", input_.name(),
         input_.seekable() ? "" : "; if its format has the index at the end, give it as a file");
  }

  AudioInput& input_;
  AudioSink sink_;
  AudioSource source_;
  Resampler resampler_;
  PacketPtr packet_{allocated(av_packet_alloc())};
  FramePtr frame_{allocated(av_frame_alloc())};
  int64_t packets_ = 0;
};

std::vector<float> load(AudioInput& input) {
  std::vector<float> samples;
  // Growing step by step would copy a long file several times over. A header may lie, so it is
  // believed up to six hours.
  constexpr double kBelieved = 6 * 3600;
  const double seconds = std::min(input.stated_seconds(), kBelieved);
  samples.reserve(static_cast<size_t>((seconds + 1) * kSampleRate));
  const AudioSink sink = [&](std::span<const float> piece) {
    samples.insert(samples.end(), piece.begin(), piece.end());
  };
  Decoding(input, sink).run();
  return samples;
}

}  // namespace

AudioSource decode_audio(const std::filesystem::path& path, const AudioOptions& options,
                         const AudioSink& sink) {
  return with_errors([&] {
    AudioInput input(path, options);
    return Decoding(input, guarded(sink)).run();
  });
}

AudioSource decode_audio(std::span<const std::byte> file, std::string_view name,
                         const AudioOptions& options, const AudioSink& sink) {
  return with_errors([&] {
    AudioInput input(file, name, options);
    return Decoding(input, guarded(sink)).run();
  });
}

std::vector<float> load_audio(const std::filesystem::path& path, const AudioOptions& options) {
  return with_errors([&] {
    AudioInput input(path, options);
    return load(input);
  });
}

std::vector<float> load_audio(std::span<const std::byte> file, std::string_view name,
                              const AudioOptions& options) {
  return with_errors([&] {
    AudioInput input(file, name, options);
    return load(input);
  });
}

}  // namespace whisper_s4y
