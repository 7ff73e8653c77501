#include <algorithm>
#include <optional>
#include <utility>

#include "audio/audio_decoding.h"
#include "audio/audio_input.h"
#include "audio/channel_choice.h"
#include "common/boundary.h"
#include "common/fail.h"
#include "common/held.h"
#include "whisper_s4y/audio.h"

namespace whisper_s4y {
namespace {

std::vector<std::string> names_of(const ChannelChoice& choice, int channels) {
  using Kind = ChannelChoice::Kind;
  if (choice.kind == Kind::mix) return {""};
  if (choice.kind == Kind::one) return {channel_name(choice.index, channels)};
  std::vector<std::string> names;
  for (int i = 0; i < channels; ++i) names.push_back(channel_name(i, channels));
  return names;
}

}  // namespace

/// One pass over the file at a time, in which all outputs are decoded and one is given out.
struct AudioReader::Impl {
  template <typename... File>
  explicit Impl(const AudioOptions& options_, File&&... file)
      : options(options_), input(std::forward<File>(file)..., options_) {
    decoding.emplace(input, options);
    channels = names_of(channel_choice(options.channel), decoding->source().channels);
    // A pipe is decoded once.
    if (!input.seekable()) others.resize(channels.size());
  }

  size_t read(Span<float> samples) {
    if (samples.empty()) return 0;
    while (taken == ready.size()) {
      if (!fill()) return 0;
    }
    const size_t count = std::min(samples.size(), ready.size() - taken);
    std::copy_n(ready.data() + taken, count, samples.data());
    taken += count;
    return count;
  }

  /// Decodes a little more into `ready`; false at the end.
  bool fill() {
    const AudioDecoding::Pieces* pieces = decoding ? decoding->next() : nullptr;
    if (pieces == nullptr) {
      if (decoding && !is_complete) last_source = decoding->source();
      is_complete = true;
      return false;
    }
    ready.clear();
    taken = 0;
    if (pieces->empty()) return true;
    if (channel < pieces->size()) {
      ready.assign((*pieces)[channel].begin(), (*pieces)[channel].end());
    }
    for (size_t i = channel + 1; i < others.size(); ++i) {
      others[i].insert(others[i].end(), (*pieces)[i].begin(), (*pieces)[i].end());
    }
    return true;
  }

  [[nodiscard]] bool can_rewind() const { return input.seekable() || is_kept(); }
  /// Whether the channel was decoded beside an earlier one and waits in `ready`.
  [[nodiscard]] bool is_kept() const { return !input.seekable() && channel > 0; }

  void rewind() {
    if (!can_rewind()) {
      fail(ErrorCode::unsupported, "{} can be read only once.", input.name());
    }
    taken = 0;
    if (is_kept()) return;
    ready.clear();
    forget_decoding();
    input.reopen(options);
    decoding.emplace(input, options);
  }

  bool next_channel() {
    if (channel + 1 >= channels.size()) return false;
    if (input.seekable()) {
      ++channel;
      rewind();
      return true;
    }
    while (channel == 0 && fill()) continue;  // what the other channels still miss
    ++channel;
    ready = std::exchange(others[channel], {});
    taken = 0;
    forget_decoding();
    return true;
  }

  void forget_decoding() {
    if (decoding && !is_complete) last_source = decoding->source();
    decoding.reset();
  }

  [[nodiscard]] const AudioSource& source() const {
    return decoding && !is_complete ? decoding->source() : last_source;
  }

  [[nodiscard]] double stated_seconds() const {
    if (const auto end = input.stated_end()) return *end;
    return input.seekable() ? input.info().seconds : 0;
  }

  AudioOptions options;
  AudioInput input;
  std::optional<AudioDecoding> decoding;  // nothing once the channels of a pipe are all there
  AudioSource last_source;                // of the decoding before
  bool is_complete = false;               // last_source: the file was decoded to its end
  std::vector<std::string> channels;
  size_t channel = 0;
  std::vector<float> ready;                // samples of the channel
  size_t taken = 0;                        // of them
  std::vector<std::vector<float>> others;  // of a pipe: whole channels that come later
};

AudioReader::AudioReader(const std::filesystem::path& path, const AudioOptions& options)
    : impl_(with_errors([&] { return std::make_unique<Impl>(options, path); })) {}

AudioReader::AudioReader(Span<const std::byte> file, std::string_view name,
                         const AudioOptions& options)
    : impl_(with_errors([&] {
        return std::make_unique<Impl>(options, std::span<const std::byte>(file), name);
      })) {}

AudioReader::AudioReader(std::shared_ptr<ByteSource> file, std::string_view name,
                         const AudioOptions& options)
    : impl_(with_errors([&] { return std::make_unique<Impl>(options, std::move(file), name); })) {}

AudioReader::Impl& AudioReader::impl() const { return held(impl_, "AudioReader"); }

AudioReader::~AudioReader() = default;
AudioReader::AudioReader(AudioReader&&) noexcept = default;
AudioReader& AudioReader::operator=(AudioReader&&) noexcept = default;

size_t AudioReader::read(Span<float> samples) {
  return with_errors([&] { return impl().read(samples); });
}

const AudioSource& AudioReader::source() const { return impl().source(); }

double AudioReader::stated_seconds() const {
  return with_errors([&] { return impl().stated_seconds(); });
}

const std::vector<std::string>& AudioReader::channels() const { return impl().channels; }

bool AudioReader::next_channel() {
  return with_errors([&] { return impl().next_channel(); });
}

bool AudioReader::can_rewind() const { return impl().can_rewind(); }

void AudioReader::rewind() {
  with_errors([&] { impl().rewind(); });
}

}  // namespace whisper_s4y
