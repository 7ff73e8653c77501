#include "audio/audio_options.h"

#include <cctype>
#include <charconv>
#include <optional>

#include "audio/channel_choice.h"
#include "options/option_table.h"

namespace whisper_s4y {
namespace {

constexpr std::string_view kPcmFormats[] = {"s16le", "f32le"};  // of PcmFormat

constexpr std::string_view kTracks = "Tracks and channels";
constexpr std::string_view kPcm = "Raw PCM, which has no header";

using A = AudioOptions;
constexpr Option kRows[] = {
    option<&A::track>(
        "track",
        "Audio track of a file with several: its number from 1, as `inspect` lists them, or its "
        "language; without it the file's main one",
        {.group = kTracks, .metavar = "N|LANG", .flag = "--audio-track"}),
    option<&A::channel>(
        "channel",
        "mix, left, right or a channel's number from 1; each: every channel for itself, with its "
        "name before its text (an interview with a microphone for each speaker)",
        {.group = kTracks, .metavar = "CHANNEL"}),
    option<&A::pcm_rate>(
        "pcm_rate", "Read the recordings as raw PCM with so many samples a second; 0: by a header",
        {.bounds = {0, 1'000'000}, .group = kPcm, .metavar = "HZ"}),
    option<&A::pcm_channels>("pcm_channels", "Interleaved channels of it",
                             {.bounds = {1, 64}, .group = kPcm}),
    option<&A::pcm_format>("pcm_format", "Its numbers: s16le (16-bit integers) or f32le (floats)",
                           {.choices = kPcmFormats, .group = kPcm, .metavar = "FORMAT"}),
};
static_assert(describes<A>(kRows));

template <auto kField>
constexpr OptionName kName = name_of<kField>(kRows);

void check_track(const std::string& track) {
  const auto number = whole_number(track);
  if (number && *number < 1) {
    fail_option("{}: audio tracks are counted from 1, not {}.", kName<&A::track>, *number);
  }
  const auto is_no_letter = [](unsigned char c) { return c < 0x80 && std::isalpha(c) == 0; };
  if (!number && !track.empty() && is_no_letter(static_cast<unsigned char>(track.front()))) {
    fail_option("{} must be a number from 1 or a language, not {}.", kName<&A::track>, track);
  }
}

}  // namespace

template <>
const OptionTable& option_table<AudioOptions>() {
  static const OptionTable table = table_of<AudioOptions>(kRows);
  return table;
}

std::optional<int> whole_number(std::string_view text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

void AudioOptions::validate() const {
  check_rows(*this);
  (void)channel_choice(channel);
  check_track(track);
  if (pcm_rate != 0) return;
  const AudioOptions defaults;
  if (pcm_channels != defaults.pcm_channels) {
    fail_option("{} needs {}.", kName<&A::pcm_channels>, kName<&A::pcm_rate>);
  }
  if (pcm_format != defaults.pcm_format) {
    fail_option("{} needs {}.", kName<&A::pcm_format>, kName<&A::pcm_rate>);
  }
}

}  // namespace whisper_s4y
