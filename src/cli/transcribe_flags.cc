#include "cli/transcribe_flags.h"

#include <algorithm>

#include "options/option_table.h"
#include "runtime/cpu.h"
#include "transcribe/transcribe_options.h"

namespace whisper_s4y {
namespace {

// More windows at once need much memory.
constexpr int kMostAtOnce = 8;

constexpr float kLeastIncrement = 0.01F;  // a hundred tries

constexpr std::string_view kDecoding = "Decoding";
constexpr std::string_view kVoice = "Voice activity (see docs/vad.md)";

using F = TranscribeFlags;
constexpr Option kRows[] = {
    option<&F::options>("options", "How recordings are transcribed"),
    option<&F::temperature>("temperature", "Of the first try; 0 takes the likeliest tokens",
                            {.bounds = {0, 10}, .group = kDecoding}),
    option<&F::temperature_increment_on_fallback>(
        "temperature_increment_on_fallback",
        "Of each further try, up to 1, while the text is repetitive or unlikely; 0 tries once",
        {.bounds = {0, 10}, .group = kDecoding}),
    option<&F::batched>(
        "batched",
        "Decode stretches of speech of up to 30 s without the text before them, several at once, "
        "each with its part of the threads; 160 ms of silence end a stretch, unless an option of "
        "the voice activity is given",
        {.group = kVoice}),
    option<&F::batch_size>(
        "batch_size", "How many at once, with --batched; without it one for each thread, up to 8",
        {.bounds = {1, kNoLimit}, .group = kVoice}),
};
static_assert(describes<F>(kRows));

template <auto kField>
constexpr OptionName kName = name_of<kField>(kRows);

}  // namespace

template <>
const OptionTable& option_table<TranscribeFlags>() {
  static const OptionTable table = table_of<TranscribeFlags>(kRows);
  return table;
}

TranscribeOptions TranscribeFlags::finished(int threads) const {
  TranscribeOptions result = options;
  check_rows(*this);
  if (temperature_increment_on_fallback > 0 &&
      temperature_increment_on_fallback < kLeastIncrement) {
    fail_option("{} must be 0 or at least {}, not {}.",
                kName<&F::temperature_increment_on_fallback>, kLeastIncrement,
                temperature_increment_on_fallback);
  }
  if (batch_size && !batched) {
    fail_option("{} needs {}.", kName<&F::batch_size>, kName<&F::batched>);
  }
  if (batched) {
    result.batch_size =
        batch_size.value_or(std::min(threads > 0 ? threads : default_threads(), kMostAtOnce));
  }
  result.temperatures = {temperature};
  // openai/whisper transcribe.py, cli(): up to 1.0, that included in spite of rounding.
  if (temperature_increment_on_fallback > 0) {
    for (int i = 1;
         temperature + static_cast<float>(i) * temperature_increment_on_fallback <= 1.0F + 1e-6F;
         ++i) {
      result.temperatures.push_back(temperature +
                                    static_cast<float>(i) * temperature_increment_on_fallback);
    }
  }
  result.validate();
  return result;
}

}  // namespace whisper_s4y
