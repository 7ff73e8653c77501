#include <algorithm>
#include <utility>

#include "audio/audio_decoding.h"
#include "audio/audio_input.h"
#include "audio/channel_choice.h"
#include "audio/formats.h"
#include "common/boundary.h"
#include "common/cancellation.h"
#include "common/fail.h"
#include "whisper_s4y/audio.h"

namespace whisper_s4y {
namespace {

AudioSource decode(AudioInput& input, const AudioOptions& options, const AudioSink& sink) {
  if (channel_choice(options.channel).kind == ChannelChoice::Kind::each) {
    fail(ErrorCode::invalid_argument, "Only read_audio() gives each channel of a file.");
  }
  AudioDecoding decoding(input, options);
  while (const auto* pieces = decoding.next()) {
    if (!pieces->empty()) sink(pieces->front());
  }
  return decoding.source();
}

Audio read(AudioInput& input, const AudioOptions& options,
           const std::function<bool()>& cancelled = {}) {
  Cancellation cancellation(guarded(cancelled));
  Audio audio;
  // Growing step by step would copy a long file several times over. A header may lie, so it is
  // believed up to six hours.
  constexpr double kBelieved = 6 * 3600;
  const double seconds = std::min(input.stated_end().value_or(0), kBelieved);
  AudioDecoding decoding(input, options);
  audio.channels.resize(static_cast<size_t>(decoding.outputs()));
  for (AudioChannel& channel : audio.channels) {
    channel.samples.reserve(static_cast<size_t>((seconds + 1) * kSampleRate));
  }
  while (const auto* pieces = decoding.next()) {
    cancellation.check();
    for (size_t i = 0; i < pieces->size(); ++i) {
      std::vector<float>& samples = audio.channels[i].samples;
      samples.insert(samples.end(), (*pieces)[i].begin(), (*pieces)[i].end());
    }
  }
  audio.source = decoding.source();
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

std::vector<float> load_audio(const std::filesystem::path& path, const AudioOptions& options,
                              const std::function<bool()>& cancelled) {
  return with_errors([&] {
    AudioInput input(path, options);
    return only_channel(read(input, options, cancelled));
  });
}

std::vector<float> load_audio(Span<const std::byte> file, std::string_view name,
                              const AudioOptions& options, const std::function<bool()>& cancelled) {
  return with_errors([&] {
    AudioInput input(file, name, options);
    return only_channel(read(input, options, cancelled));
  });
}

}  // namespace whisper_s4y
