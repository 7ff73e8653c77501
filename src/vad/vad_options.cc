#include "vad/vad_options.h"

#include "options/option_table.h"
#include "whisper_s4y/audio.h"

namespace whisper_s4y {
namespace {

// Neither a pause nor a word is longer than a day.
constexpr double kLongestMs = 86'400'000;

constexpr OptionDetails details(std::string_view flag, std::string_view metavar,
                                NumberBounds bounds) {
  return {.bounds = bounds,
          .group = "Voice activity (see docs/vad.md)",
          .metavar = metavar,
          .flag = flag};
}

using V = VadOptions;
constexpr Option kRows[] = {
    option<&V::threshold>("threshold", "Probability from which on sound is speech",
                          details("--vad-threshold", "P", {0.001, 0.999})),
    option<&V::neg_threshold>(
        "neg_threshold", "Probability below which speech ends; without it 0.15 below the threshold",
        details("--vad-neg-threshold", "P", {0.001, 0.999})),
    option<&V::min_speech_duration_ms>(
        "min_speech_duration_ms", "Leave out speech that is shorter",
        details("--vad-min-speech-duration-ms", "MS", {0, kLongestMs})),
    option<&V::max_speech_duration_s>("max_speech_duration_s",
                                      "Part speech that is longer, at a pause if there is one",
                                      details("--vad-max-speech-duration-s", "S", {0, kNoLimit})),
    option<&V::min_silence_duration_ms>(
        "min_silence_duration_ms", "Silence that ends a stretch of speech",
        details("--vad-min-silence-duration-ms", "MS", {0, kLongestMs})),
    option<&V::speech_pad_ms>("speech_pad_ms", "Sound to keep around speech",
                              details("--vad-speech-pad-ms", "MS", {0, kLongestMs})),
    option<&V::min_silence_at_max_speech_ms>(
        "min_silence_at_max_speech_ms", "Shortest pause at which speech that is too long is parted",
        details("--vad-min-silence-at-max-speech-ms", "MS", {0, kLongestMs})),
};
static_assert(describes<V>(kRows));

template <auto kField>
constexpr OptionName kName = name_of<kField>(kRows);

}  // namespace

template <>
const OptionTable& option_table<VadOptions>() {
  static const OptionTable table = table_of<VadOptions>(kRows);
  return table;
}

void VadOptions::validate() const {
  check_rows(*this);
  if (neg_threshold && *neg_threshold > threshold) {
    fail_option("{} {} is above the {} {}.", kName<&V::neg_threshold>, *neg_threshold,
                kName<&V::threshold>, threshold);
  }
  // A chunk and the padding must fit in; otherwise every chunk would be split off.
  const double least = (2.0 * kSampleRate * speech_pad_ms / 1000.0 + 2.0 * kVadChunk) / kSampleRate;
  if (max_speech_duration_s < least) {
    fail_option("{} is {}, expected at least {}: twice {} and two chunks.",
                kName<&V::max_speech_duration_s>, max_speech_duration_s, least,
                kName<&V::speech_pad_ms>);
  }
}

}  // namespace whisper_s4y
