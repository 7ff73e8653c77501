#include "transcribe/check_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "common/fail.h"
#include "common/options.h"
#include "decoding/text.h"
#include "tokenizer/languages.h"
#include "transcribe/window_transcriber.h"
#include "whisper_s4y/live.h"

namespace whisper_s4y {
namespace {

constexpr double kMostTries = 100;         // temperatures
constexpr double kMostHypotheses = 64;     // a model is converted for a few
constexpr double kMostTokens = 10'000;     // of a window; decoders have 448 positions
constexpr double kLongestRecording = 1e7;  // seconds: 115 days
constexpr double kMostAtOnce = 64;         // windows of a batch
constexpr double kLogprobLimit = 1000;     // far beyond any mean log-probability

constexpr OptionName kBatchSize{"batch_size"};
constexpr OptionName kBatched{"batch_size", "--batched"};
constexpr OptionName kBeamSize{"beam_size"};
constexpr OptionName kCarryInitialPrompt{"carry_initial_prompt"};
constexpr OptionName kClipTimestamps{"clip_timestamps"};
constexpr OptionName kHotwords{"hotwords"};
constexpr OptionName kInitialPrompt{"initial_prompt"};
constexpr OptionName kLanguage{"language"};
constexpr OptionName kLanguages{"languages"};
constexpr OptionName kMultilingual{"multilingual"};
constexpr OptionName kPatience{"patience"};
constexpr OptionName kPrefix{"prefix"};
constexpr OptionName kSilenceThreshold{"hallucination_silence_threshold"};
constexpr OptionName kTask{"task"};
constexpr OptionName kTemperature{"temperatures", "--temperature"};
constexpr OptionName kUpdateInterval{"update_interval"};
constexpr OptionName kVadFilter{"vad_filter", "--vad"};
constexpr OptionName kWordTimestamps{"word_timestamps"};

using Options = TranscribeOptions;
constexpr NumberOption<Options> kNumbers[] = {
    number_option<&Options::language_detection_segments>({"language_detection_segments"}, 1,
                                                         kLongestRecording),
    number_option<&Options::language_detection_threshold>({"language_detection_threshold"}, 0, 1),
    number_option<&Options::temperatures>(kTemperature, 0, 10),
    number_option<&Options::compression_ratio_threshold>({"compression_ratio_threshold"}, 0, 1000),
    number_option<&Options::logprob_threshold>({"logprob_threshold"}, -kLogprobLimit,
                                               kLogprobLimit),
    number_option<&Options::no_speech_threshold>({"no_speech_threshold"}, 0, 1),
    number_option<&Options::best_of>({"best_of"}, 1, kMostHypotheses),
    number_option<&Options::beam_size>(kBeamSize, 1, kMostHypotheses),
    number_option<&Options::patience>(kPatience, 0.01, 100),
    number_option<&Options::length_penalty>({"length_penalty"}, 0, 1),
    number_option<&Options::repetition_penalty>({"repetition_penalty"}, 0.01, 100),
    number_option<&Options::no_repeat_ngram_size>({"no_repeat_ngram_size"}, 0, kMostTokens),
    number_option<&Options::sample_len>({"sample_len"}, 1, kMostTokens),
    number_option<&Options::max_new_tokens>({"max_new_tokens"}, 1, kMostTokens),
    number_option<&Options::prompt_reset_on_temperature>({"prompt_reset_on_temperature"}, 0, 10),
    number_option<&Options::max_initial_timestamp>({"max_initial_timestamp"}, 0, 30),
    number_option<&Options::hallucination_silence_threshold>(kSilenceThreshold, 0,
                                                             kLongestRecording),
    number_option<&Options::clip_timestamps>(kClipTimestamps, 0, kLongestRecording),
    number_option<&Options::batch_size>(kBatchSize, 0, kMostAtOnce),
};

constexpr NumberOption<LiveOptions> kLiveNumbers[] = {
    number_option<&LiveOptions::update_interval>(kUpdateInterval, 0.1, 30),
};

void check_decoding(const Options& options) {
  if (options.task != "transcribe" && options.task != "translate") {
    fail_option("{} is \"transcribe\" or \"translate\", not \"{}\".", kTask, options.task);
  }
  if (options.temperatures.empty() || options.temperatures.size() > kMostTries) {
    fail_option("{} must be 1 to {} numbers, not {}.", kTemperature, kMostTries,
                options.temperatures.size());
  }
  if (options.patience && !options.beam_size) fail_option("{} needs {}.", kPatience, kBeamSize);
  if (options.carry_initial_prompt && stripped(options.initial_prompt).empty()) {
    fail_option("{} needs {}.", kCarryInitialPrompt, kInitialPrompt);
  }
  if (!stripped(options.hotwords).empty() && !stripped(options.prefix).empty()) {
    fail_option("{} and {} cannot be given together.", kHotwords, kPrefix);
  }
  if (options.hallucination_silence_threshold && !options.word_timestamps) {
    fail_option("{} needs {}.", kSilenceThreshold, kWordTimestamps);
  }
}

void check_clips(const Options& options) {
  const std::vector<double>& times = options.clip_timestamps;
  for (size_t i = 0; i + 1 < times.size(); i += 2) {
    if (times[i + 1] < times[i]) {
      fail_option("{}: a clip ends at {} s, before it begins at {} s.", kClipTimestamps,
                  times[i + 1], times[i]);
    }
  }
}

void check_speech(const Options& options) {
  if (options.vad_options && !options.vad_filter && options.batch_size == 0) {
    fail_option("Options of the voice activity detection need {} or {}.", kVadFilter, kBatched);
  }
  if (options.vad_options) options.vad_options->validate();
  if (options.batch_size > 0 && options.hallucination_silence_threshold) {
    fail_option(
        "{} skips silence on a walk from window to window; with {} voice activity detection leaves "
        "silence out already.",
        kSilenceThreshold, kBatched);
  }
}

// The code of a language as the option `name` has it.
std::string code_of(const std::string& language, OptionName name) {
  try {
    return std::string(language_code(language));
  } catch (const Error& error) {
    fail_option("{}: {}", name, error.what());
  }
}

std::optional<std::string> wanted_language(const Options& options) {
  if (!options.language || options.language == "auto") return std::nullopt;
  return code_of(*options.language, kLanguage);
}

// Each once.
std::vector<std::string> wanted_languages(const Options& options) {
  std::vector<std::string> codes;
  for (const std::string& language : options.languages) {
    const std::string code = code_of(language, kLanguages);
    if (std::ranges::find(codes, code) == codes.end()) codes.push_back(code);
  }
  return codes;
}

void check_languages(const Options& options) {
  const bool several = !wanted_languages(options).empty();
  if (!wanted_language(options)) return;
  if (options.multilingual) {
    fail_option("{} and {} cannot be given together.", kMultilingual, kLanguage);
  }
  if (several) fail_option("{} and {} cannot be given together.", kLanguages, kLanguage);
}

}  // namespace

void TranscribeOptions::validate() const {
  check_numbers(*this, kNumbers);
  check_decoding(*this);
  check_clips(*this);
  check_speech(*this);
  check_languages(*this);
}

VadOptions live_vad_options() {
  return {.min_speech_duration_ms = 250,
          .max_speech_duration_s = 28.0,
          .min_silence_duration_ms = 500,
          .speech_pad_ms = 200};
}

void LiveOptions::validate() const {
  check_numbers(*this, kLiveNumbers);
  transcribe.validate();
  vad.validate();
  if (transcribe.vad_filter || transcribe.batch_size > 0) {
    fail_option("{} and {} are for recordings; live utterances are speech already.", kVadFilter,
                kBatchSize);
  }
}

TranscribeOptions checked_options(TranscribeOptions options, DecoderModel& model) {
  options.validate();
  options.language = wanted_language(options);
  options.languages = wanted_languages(options);
  const ModelInfo& info = model.info();
  const bool tells_apart = options.multilingual || !options.languages.empty();
  if (tells_apart && !info.generation.is_multilingual) {
    fail(ErrorCode::unsupported, "{} is an English-only model; it cannot tell languages apart.",
         info.name);
  }
  for (const std::string& language : options.languages) {
    if (info.generation.language_token(language) < 0) {
      fail(ErrorCode::unsupported, "{} does not know the language \"{}\".", info.name, language);
    }
  }
  if (options.word_timestamps && !model.can_align()) {
    fail(ErrorCode::unsupported,
         "{} was converted without the align part, which word timestamps need; convert it again.",
         info.name);
  }
  return options;
}

std::vector<std::string> cut_texts(const TranscribeOptions& options, const DecoderModel& model,
                                   const Tokenizer& tokenizer) {
  std::vector<std::string> warnings;
  const size_t room = prompt_room(model.info().config);
  const size_t hotwords = encode_text(tokenizer, options.hotwords).size();
  if (hotwords > room) {
    warnings.push_back(fmt::format(
        "The hotwords make {} tokens, but there is room for {}: the last of them are left out.",
        hotwords, room));
  }
  const size_t left = room - std::min(hotwords, room);
  const size_t prompt = encode_text(tokenizer, options.initial_prompt).size();
  if (prompt > left) {
    warnings.push_back(
        fmt::format("The initial prompt makes {} tokens, but there is room for {}{}: its beginning "
                    "is left out.",
                    prompt, left, hotwords > 0 ? " beside the hotwords" : ""));
  }
  const size_t prefix = encode_text(tokenizer, options.prefix).size();
  if (prefix > room) {
    warnings.push_back(
        fmt::format("The prefix makes {} tokens, but there is room for {}: its end is left out.",
                    prefix, room));
  }
  return warnings;
}

}  // namespace whisper_s4y
