#include "audio/raw_audio.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <vector>

#include "audio/channel_choice.h"
#include "audio/ffmpeg.h"
#include "audio/resampler.h"
#include "common/fail.h"

namespace whisper_s4y {
namespace {

constexpr const char* kName = "the sound";  // in messages

struct CodingFacts {
  RawAudioFormat::Coding coding;
  AVCodecID codec;
  size_t bytes;  // of a sample
};

using Coding = RawAudioFormat::Coding;
constexpr std::array<CodingFacts, 6> kCodings = {{
    {Coding::pcm8, AV_CODEC_ID_PCM_U8, 1},
    {Coding::pcm16, AV_CODEC_ID_PCM_S16LE, 2},
    {Coding::pcm24, AV_CODEC_ID_PCM_S24LE, 3},
    {Coding::pcm32, AV_CODEC_ID_PCM_S32LE, 4},
    {Coding::mu_law, AV_CODEC_ID_PCM_MULAW, 1},
    {Coding::a_law, AV_CODEC_ID_PCM_ALAW, 1},
}};

const CodingFacts& facts_of(RawAudioFormat::Coding coding) {
  return *std::ranges::find(kCodings, coding, &CodingFacts::coding);
}

void check(int status) {
  if (status < 0) fail("{}: cannot decode: {}.", kName, ffmpeg_error(status));
}

CodecPtr decoder_of(const RawAudioFormat& format) {
  const AVCodec* codec = avcodec_find_decoder(facts_of(format.coding).codec);
  if (codec == nullptr) {
    fail(ErrorCode::unsupported, "This FFmpeg has no decoder for {}.",
         avcodec_get_name(facts_of(format.coding).codec));
  }
  CodecPtr decoder(allocated(avcodec_alloc_context3(codec)));
  silence(*decoder);
  decoder->sample_rate = format.sample_rate;
  av_channel_layout_default(&decoder->ch_layout, format.channels);
  check(avcodec_open2(decoder.get(), codec, nullptr));
  return decoder;
}

void check_range(const char* what, int value, int lowest, int highest) {
  if (value >= lowest && value <= highest) return;
  fail(ErrorCode::invalid_argument, "{} must be from {} to {}, not {}.", what, lowest, highest,
       value);
}

}  // namespace

size_t bytes_per_frame(const RawAudioFormat& format) {
  return facts_of(format.coding).bytes * static_cast<size_t>(format.channels);
}

struct RawAudioStream::Impl {
  explicit Impl(const RawAudioFormat& format)
      : frame_bytes(bytes_per_frame(format)),
        piece_bytes(frame_bytes * static_cast<size_t>(format.sample_rate)),
        decoder(decoder_of(format)),
        resampler(kName, ChannelChoice{}) {}

  void take_out() {
    const std::span<const float> more = resampler.samples(0);
    samples.insert(samples.end(), more.begin(), more.end());
  }

  void decode(std::span<const std::byte> whole_frames) {
    check(av_new_packet(packet.get(), static_cast<int>(whole_frames.size())));
    std::memcpy(packet->data, whole_frames.data(), whole_frames.size());
    const int sent = avcodec_send_packet(decoder.get(), packet.get());
    av_packet_unref(packet.get());
    check(sent);
    while (avcodec_receive_frame(decoder.get(), frame.get()) >= 0) {
      resampler.convert(*frame);
      take_out();
    }
  }

  void push(std::span<const std::byte> bytes) {
    samples.clear();
    if (!pending.empty()) {  // of a frame that was cut
      const size_t missing = std::min(frame_bytes - pending.size(), bytes.size());
      pending.insert(pending.end(), bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(missing));
      bytes = bytes.subspan(missing);
      if (pending.size() < frame_bytes) return;
      decode(pending);
      pending.clear();
    }
    while (bytes.size() >= frame_bytes) {
      const size_t whole = bytes.size() - bytes.size() % frame_bytes;
      const std::span<const std::byte> piece = bytes.first(std::min(whole, piece_bytes));
      decode(piece);
      bytes = bytes.subspan(piece.size());
    }
    pending.assign(bytes.begin(), bytes.end());
  }

  void finish() {
    samples.clear();
    pending.clear();
    resampler.flush();
    if (resampler.outputs() > 0) take_out();
  }

  size_t frame_bytes;
  size_t piece_bytes;  // a second
  CodecPtr decoder;
  Resampler resampler;
  PacketPtr packet{allocated(av_packet_alloc())};
  FramePtr frame{allocated(av_frame_alloc())};
  std::vector<std::byte> pending;
  std::vector<float> samples;
};

RawAudioStream::RawAudioStream(const RawAudioFormat& format) {
  check_range("The sample rate", format.sample_rate, kLowestRate, kHighestRate);
  check_range("The number of channels", format.channels, 1, kMostChannels);
  impl_ = std::make_unique<Impl>(format);
}

RawAudioStream::~RawAudioStream() = default;
RawAudioStream::RawAudioStream(RawAudioStream&&) noexcept = default;
RawAudioStream& RawAudioStream::operator=(RawAudioStream&&) noexcept = default;

std::span<const float> RawAudioStream::push(std::span<const std::byte> bytes) {
  impl_->push(bytes);
  return impl_->samples;
}

std::span<const float> RawAudioStream::finish() {
  impl_->finish();
  return impl_->samples;
}

}  // namespace whisper_s4y
