#include <algorithm>
#include <utility>

#include "audio/audio_input.h"
#include "audio/channels.h"
#include "audio/formats.h"
#include "audio/timeline.h"
#include "common/boundary.h"
#include "common/fail.h"
#include "whisper_s4y/audio.h"

namespace whisper_s4y {
namespace {

// A stated length may be off by a packet, and by rounding in a long file.
constexpr double kLengthTolerance = 0.25;      // seconds
constexpr double kLengthTolerancePart = 1e-3;  // of the length
// Less is no more than the beginning of a recording in which one channel leads the other.
constexpr double kShortCancellation = 0.5;  // seconds

std::string about(double seconds) {
  return seconds < 0.1 ? "less than 0.1 s" : fmt::format("about {:.1f} s", seconds);
}

using Pieces = std::vector<std::span<const float>>;
using PiecesSink = std::function<void(const Pieces& pieces)>;

/// Takes the packets of an input through decoder, timeline and channels to the sink.
class Decoding {
 public:
  Decoding(AudioInput& input, const AudioOptions& options, const PiecesSink& sink)
      : input_(input),
        sink_(sink),
        source_(input.source()),
        channels_(input.name(), channel_choice(options.channel), source_.channels),
        timeline_(input.has_discontinuities()) {}

  AudioSource run() {
    while (input_.read(packet_.get())) {
      send(packet_.get());
      av_packet_unref(packet_.get());
    }
    send(nullptr);
    give(channels_.flush());
    if (source_.samples == 0) report_nothing();
    report_losses();
    return std::move(source_);
  }

  [[nodiscard]] int outputs() const { return channels_.outputs(); }

 private:
  // A null packet drains the decoder.
  void send(const AVPacket* packet) {
    packets_ += packet != nullptr;
    const int status = avcodec_send_packet(input_.decoder(), packet);
    if (status == AVERROR(ENOMEM)) throw std::bad_alloc();
    if (status < 0) {
      count_corrupt(packet);
      return;
    }
    for (;;) {
      const int received = avcodec_receive_frame(input_.decoder(), frame_.get());
      if (received == AVERROR(EAGAIN) || received == AVERROR_EOF) return;
      if (received == AVERROR(ENOMEM)) throw std::bad_alloc();
      if (received < 0) {
        count_corrupt(packet);
        return;
      }
      if (frame_->nb_samples > 0 && frame_->sample_rate > 0) take(*frame_);
      av_frame_unref(frame_.get());
    }
  }

  void count_corrupt(const AVPacket* packet) {
    if (packet == nullptr || input_.is_header(*packet)) return;
    ++source_.corrupt_packets;
    corrupt_seconds_ += packet->duration > 0
                            ? static_cast<double>(packet->duration) * input_.time_base()
                            : frame_seconds_;
  }

  void take(const AVFrame& frame) {
    source_.sample_rate = frame.sample_rate;
    source_.channels = frame.ch_layout.nb_channels;
    frame_seconds_ = static_cast<double>(frame.nb_samples) / frame.sample_rate;
    std::optional<double> seconds;
    if (frame.best_effort_timestamp != AV_NOPTS_VALUE) {
      seconds = static_cast<double>(frame.best_effort_timestamp) * input_.time_base() -
                input_.zero() - input_.frame_lag(frame);
    }
    const Timeline::Step step = timeline_.next(seconds, frame.nb_samples, frame.sample_rate);
    if (step.ends_run) give(channels_.flush());
    give_silence(step.silence);
    skip_ += step.skipped;
    give(channels_.convert(frame));
  }

  void give_silence(int64_t samples) {
    const std::vector<float> silence(static_cast<size_t>(std::min<int64_t>(samples, kSampleRate)));
    while (samples > 0) {
      const auto count = std::min<int64_t>(samples, kSampleRate);
      const std::span<const float> piece(silence.data(), static_cast<size_t>(count));
      give(Pieces(static_cast<size_t>(channels_.outputs()), piece));
      samples -= count;
    }
  }

  void give(Pieces pieces) {
    if (pieces.empty() || pieces.front().empty()) return;
    const auto size = static_cast<int64_t>(pieces.front().size());
    const int64_t skipped = std::min(skip_, size);
    skip_ -= skipped;
    if (skipped == size) return;
    for (auto& piece : pieces) piece = piece.subspan(static_cast<size_t>(skipped));
    source_.samples += size - skipped;
    sink_(pieces);
  }

  [[noreturn]] void report_nothing() const {
    if (source_.corrupt_packets > 0) {
      fail("{} holds no {} audio that can be decoded: {} of {} packets are damaged.", input_.name(),
           source_.codec, source_.corrupt_packets, packets_);
    }
    fail("{} has an audio stream without any sound in it{}.", input_.name(),
         input_.seekable() ? "" : "; if its format has the index at the end, give it as a file");
  }

  void report_losses() {
    const auto warn = [&]<typename... Args>(fmt::format_string<Args...> format, Args&&... args) {
      source_.warnings.push_back(fmt::format(format, std::forward<Args>(args)...));
    };
    if (source_.corrupt_packets > 0) {
      const bool one = source_.corrupt_packets == 1;
      warn("{}: {} of {} packets {} damaged and {} left out, {} of sound.", input_.name(),
           source_.corrupt_packets, packets_, one ? "is" : "are", one ? "was" : "were",
           about(corrupt_seconds_));
    }
    if (timeline_.gaps() > 0) {
      warn("{}: packets are missing in {} place{}, {} in all; silence stands there.", input_.name(),
           timeline_.gaps(), timeline_.gaps() == 1 ? "" : "s", about(timeline_.gap_seconds()));
    }
    if (timeline_.ignored_jumps() > 0) {
      const std::string times = timeline_.ignored_jumps() == 1
                                    ? "once"
                                    : fmt::format("{} times", timeline_.ignored_jumps());
      warn("{}: the timestamps jump {}, too far for a pause; the sound was joined there.",
           input_.name(), times);
    }
    report_length();
    for (std::string& fault : input_.faults()) source_.warnings.push_back(std::move(fault));
    if (channels_.cancelled_seconds() > kShortCancellation) {
      warn(
          "{}: the channels cancel each other out for {:.1f} s; channel {}, the loudest, was taken "
          "there.",
          input_.name(), channels_.cancelled_seconds(),
          channel_name(channels_.loudest(), source_.channels));
    }
  }

  void report_length() {
    const auto stated = input_.stated_end();
    // Where jumps were not followed the length is another.
    if (!stated || timeline_.ignored_jumps() > 0) return;
    const double read = static_cast<double>(source_.samples) / kSampleRate;
    const double tolerance = kLengthTolerance + kLengthTolerancePart * *stated;
    if (read < *stated - tolerance) {
      source_.warnings.push_back(fmt::format(
          "{} should last {:.1f} s, but only {:.1f} s could be read: it is cut off or damaged.",
          input_.name(), *stated, read));
    } else if (read > *stated + tolerance && !input_.may_last_longer()) {
      source_.warnings.push_back(
          fmt::format("{} should last {:.1f} s, but {:.1f} s were read: its header is wrong.",
                      input_.name(), *stated, read));
    }
  }

  AudioInput& input_;
  const PiecesSink& sink_;
  AudioSource source_;
  ChannelReader channels_;
  Timeline timeline_;
  int64_t skip_ = 0;          // samples still to leave out
  double frame_seconds_ = 0;  // of the last frame
  double corrupt_seconds_ = 0;
  PacketPtr packet_{allocated(av_packet_alloc())};
  FramePtr frame_{allocated(av_frame_alloc())};
  int64_t packets_ = 0;
};

AudioSource decode(AudioInput& input, const AudioOptions& options, const AudioSink& sink) {
  if (channel_choice(options.channel).kind == ChannelChoice::Kind::each) {
    fail(ErrorCode::invalid_argument, "Only read_audio() gives each channel of a file.");
  }
  const PiecesSink first = [&](const Pieces& pieces) { sink(pieces.front()); };
  return Decoding(input, options, first).run();
}

Audio read(AudioInput& input, const AudioOptions& options) {
  Audio audio;
  // Growing step by step would copy a long file several times over. A header may lie, so it is
  // believed up to six hours.
  constexpr double kBelieved = 6 * 3600;
  const double seconds = std::min(input.stated_end().value_or(0), kBelieved);
  const PiecesSink sink = [&](const Pieces& pieces) {
    for (size_t i = 0; i < pieces.size(); ++i) {
      std::vector<float>& samples = audio.channels[i].samples;
      samples.insert(samples.end(), pieces[i].begin(), pieces[i].end());
    }
  };
  Decoding decoding(input, options, sink);
  audio.channels.resize(static_cast<size_t>(decoding.outputs()));
  for (AudioChannel& channel : audio.channels) {
    channel.samples.reserve(static_cast<size_t>((seconds + 1) * kSampleRate));
  }
  audio.source = decoding.run();
  const ChannelChoice choice = channel_choice(options.channel);
  for (size_t i = 0; i < audio.channels.size(); ++i) {
    if (choice.kind == ChannelChoice::Kind::mix) continue;
    const int index = choice.kind == ChannelChoice::Kind::each ? static_cast<int>(i) : choice.index;
    audio.channels[i].name = channel_name(index, audio.source.channels);
  }
  return audio;
}

std::vector<float> only_channel(Audio audio) {
  if (audio.channels.size() > 1)
    fail(ErrorCode::invalid_argument, "Only read_audio() gives each channel of a file.");
  return std::move(audio.channels.front().samples);
}

}  // namespace

bool is_recording(const std::filesystem::path& path) {
  return with_errors([&] {
    constexpr size_t kLookedAt = 1 << 18;
    constexpr int kSure = AVPROBE_SCORE_MAX / 2;
    const ByteStream stream(path);
    std::vector<uint8_t> bytes = stream.peek(0, kLookedAt);
    const auto size = static_cast<int>(bytes.size());
    bytes.resize(bytes.size() + AVPROBE_PADDING_SIZE);
    const AVProbeData data{stream.file_name().c_str(), bytes.data(), size, nullptr};
    int score = 0;
    const AVInputFormat* format = av_probe_input_format3(&data, 1, &score);
    return format != nullptr && score >= kSure && is_allowed(*format);
  });
}

AudioInfo inspect_audio(const std::filesystem::path& path) {
  return with_errors([&] { return AudioInput(path, {}).info(); });
}

AudioSource decode_audio(const std::filesystem::path& path, const AudioOptions& options,
                         const AudioSink& sink) {
  return with_errors([&] {
    AudioInput input(path, options);
    return decode(input, options, guarded(sink));
  });
}

AudioSource decode_audio(Span<const std::byte> file, std::string_view name,
                         const AudioOptions& options, const AudioSink& sink) {
  return with_errors([&] {
    AudioInput input(file, name, options);
    return decode(input, options, guarded(sink));
  });
}

Audio read_audio(const std::filesystem::path& path, const AudioOptions& options) {
  return with_errors([&] {
    AudioInput input(path, options);
    return read(input, options);
  });
}

Audio read_audio(Span<const std::byte> file, std::string_view name, const AudioOptions& options) {
  return with_errors([&] {
    AudioInput input(file, name, options);
    return read(input, options);
  });
}

std::vector<float> load_audio(const std::filesystem::path& path, const AudioOptions& options) {
  return with_errors([&] { return only_channel(read_audio(path, options)); });
}

std::vector<float> load_audio(Span<const std::byte> file, std::string_view name,
                              const AudioOptions& options) {
  return with_errors([&] { return only_channel(read_audio(file, name, options)); });
}

}  // namespace whisper_s4y
