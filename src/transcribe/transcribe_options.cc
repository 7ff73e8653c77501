#include "transcribe/transcribe_options.h"

#include <algorithm>
#include <charconv>

#include "config/front_end.h"
#include "decoding/text.h"
#include "options/option_table.h"
#include "tokenizer/languages.h"

namespace whisper_s4y {
namespace {

constexpr size_t kMostTries = 100;         // temperatures
constexpr double kMostHypotheses = 64;     // a model is converted for a few
constexpr double kMostTokens = 10'000;     // of a window; decoders have 448 positions
constexpr double kLongestRecording = 1e7;  // seconds: 115 days
constexpr double kMostAtOnce = 64;         // windows of a batch
constexpr double kLogprobLimit = 1000;     // far beyond any mean log-probability

constexpr std::string_view kTasks[] = {"transcribe", "translate"};

constexpr std::string_view kSpeech = "Speech";
constexpr std::string_view kDecoding = "Decoding";
constexpr std::string_view kTimes = "Times";
constexpr std::string_view kVoice = "Voice activity (see docs/vad.md)";

using T = TranscribeOptions;
constexpr Option kRows[] = {
    option<&T::language>(
        "language",
        "Language of the speech: a code (de) or a name (German); without it the language is "
        "detected",
        {.group = kSpeech, .metavar = "LANG", .short_flag = "-l"}),
    option<&T::languages>("languages",
                          "Detect one of these languages only: codes or names with commas between",
                          {.group = kSpeech, .metavar = "LANG,..."}),
    option<&T::multilingual>("multilingual",
                             "Several languages are spoken: detect that of every stretch of speech",
                             {.group = kSpeech}),
    option<&T::task>("task", "transcribe, or translate into English",
                     {.choices = kTasks, .group = kSpeech, .metavar = "TASK"}),
    option<&T::language_detection_segments>(
        "language_detection_segments",
        "Windows of 30 s with speech to look at until one is sure of its language; if none is, "
        "they vote",
        {.bounds = {1, kLongestRecording}, .group = kSpeech}),
    option<&T::language_detection_threshold>("language_detection_threshold",
                                             "Probability above which a window is sure",
                                             {.bounds = {0, 1}, .group = kSpeech, .metavar = "P"}),

    option<&T::temperatures>("temperatures",
                             "Tried one after the other while the text is repetitive or unlikely",
                             {.bounds = {0, 10},
                              .length = {1, kMostTries},
                              .group = kDecoding,
                              .flag = "--temperature",
                              .has_flag = false}),
    option<&T::compression_ratio_threshold>("compression_ratio_threshold",
                                            "Text that compresses better than this is repetitive",
                                            {.bounds = {0, 1000}, .group = kDecoding}),
    option<&T::logprob_threshold>("logprob_threshold",
                                  "Text whose mean log-probability is lower is unlikely",
                                  {.bounds = {-kLogprobLimit, kLogprobLimit}, .group = kDecoding}),
    option<&T::no_speech_threshold>(
        "no_speech_threshold",
        "A window that is unlikely and whose no-speech probability is higher is silence",
        {.bounds = {0, 1}, .group = kDecoding}),

    option<&T::best_of>("best_of", "Samples at temperatures above 0; none is one",
                        {.bounds = {1, kMostHypotheses}, .group = kDecoding}),
    option<&T::beam_size>("beam_size",
                          "Beams at temperature 0; without it the likeliest token is taken",
                          {.bounds = {1, kMostHypotheses}, .group = kDecoding}),
    option<&T::patience>("patience", "Wait for beam size times this many finished beams",
                         {.bounds = {0.01, 100}, .group = kDecoding}),
    option<&T::length_penalty>(
        "length_penalty",
        "Exponent of the length that ranks beams and samples; without it the mean log-probability "
        "ranks",
        {.bounds = {0, 1}, .group = kDecoding}),
    option<&T::repetition_penalty>("repetition_penalty",
                                   "Above 1 makes what was said in the window less likely",
                                   {.bounds = {0.01, 100}, .group = kDecoding}),
    option<&T::no_repeat_ngram_size>("no_repeat_ngram_size",
                                     "Allow no run of so many tokens twice in a window; 0 allows",
                                     {.bounds = {0, kMostTokens}, .group = kDecoding}),
    option<&T::loop_guard>(
        "loop_guard",
        "Text that runs in a loop is stopped, tried at the next temperature, and at the last one "
        "cut after the loop's first turn",
        {.group = kDecoding,
         .flag = "--no-loop-guard",
         .flag_help = "Let text that runs in a loop go on to the window's last token"}),
    option<&T::sample_len>("sample_len", "Most tokens of a window; without it 224",
                           {.bounds = {1, kMostTokens}, .group = kDecoding}),
    option<&T::max_new_tokens>("max_new_tokens",
                               "The same by its other name; of both the smaller one holds",
                               {.bounds = {1, kMostTokens}, .group = kDecoding}),
    option<&T::seed>("seed", "Of the samples at temperatures above 0", {.group = kDecoding}),

    option<&T::condition_on_previous_text>(
        "condition_on_previous_text", "The text so far is the prompt of the next window",
        {.group = kDecoding,
         .flag = "--no-condition-on-previous-text",
         .flag_help = "Decode each window without the text before it: repetitions cannot spread"}),
    option<&T::prompt_reset_on_temperature>(
        "prompt_reset_on_temperature",
        "A window decoded at a temperature above this leaves the next one without text before it",
        {.bounds = {0, 10}, .group = kDecoding}),
    option<&T::initial_prompt>("initial_prompt", "Text to begin after: names, spelling, style",
                               {.group = kSpeech}),
    option<&T::carry_initial_prompt>("carry_initial_prompt",
                                     "Put the initial prompt before every 30 s window",
                                     {.group = kSpeech}),
    option<&T::prefix>("prefix", "Text the recording begins with", {.group = kSpeech}),
    option<&T::hotwords>("hotwords", "Words to expect in every window", {.group = kSpeech}),

    option<&T::audio_context>(
        "audio_context",
        "Of the padding behind a window's sound encode SECONDS wholly and sample the rest, which "
        "makes short recordings faster and may change a few words; full samples nothing, auto is 1 "
        "where that can be done. "
        "Text that is unlikely or repetitive then is decoded again after a full encode",
        {.group = kDecoding, .metavar = "full|auto|SECONDS"}),

    option<&T::suppress_tokens>(
        "suppress_tokens",
        "Token ids never to use, with commas; -1 stands for symbols that are not spoken",
        {.group = kDecoding, .metavar = "ID,..."}),
    option<&T::suppress_blank>("suppress_blank", "A window does not begin with a blank",
                               {.group = kDecoding,
                                .flag = "--no-suppress-blank",
                                .flag_help = "Let a window begin with a blank"}),
    option<&T::without_timestamps>(
        "without_timestamps", "Decode text only: one segment for each 30 s", {.group = kTimes}),
    option<&T::max_initial_timestamp>("max_initial_timestamp",
                                      "The first segment of a window begins no later than this",
                                      {.bounds = {0, 30}, .group = kTimes, .metavar = "SECONDS"}),

    option<&T::word_timestamps>(
        "word_timestamps", "Find the times of words too (in json, srt and vtt)", {.group = kTimes}),
    option<&T::prepend_punctuations>("prepend_punctuations",
                                     "Marks that belong to the word after them",
                                     {.group = kTimes, .metavar = "CHARS"}),
    option<&T::append_punctuations>("append_punctuations",
                                    "Marks that belong to the word before them",
                                    {.group = kTimes, .metavar = "CHARS"}),
    option<&T::hallucination_silence_threshold>(
        "hallucination_silence_threshold",
        "Leave out improbable text around silence longer than this; needs --word-timestamps",
        {.bounds = {0, kLongestRecording}, .group = kTimes, .metavar = "SECONDS"}),

    option<&T::clip_timestamps>(
        "clip_timestamps", "Transcribe these parts only: start,end,start,end,... in seconds",
        {.bounds = {0, kLongestRecording}, .group = kSpeech, .metavar = "S,S,..."}),

    option<&T::vad_filter>(
        "vad_filter",
        "Leave out what is no speech before transcribing; times stay those of the recording",
        {.group = kVoice, .flag = "--vad"}),
    option<&T::vad_options>("vad_options", "How speech is found", {.group = kVoice}),
    option<&T::batch_size>("batch_size",
                           "How many windows of speech are decoded at once; 0 one after the other",
                           {.bounds = {0, kMostAtOnce}, .group = kVoice, .has_flag = false}),
};
static_assert(describes<T>(kRows));

constexpr Option kLiveRows[] = {
    option<&LiveOptions::transcribe>("transcribe", "How utterances are transcribed"),
    option<&LiveOptions::vad>("vad", "Where utterances begin and end"),
    option<&LiveOptions::update_interval>(
        "update_interval", "Seconds of new sound until an unfinished utterance is transcribed anew",
        {.bounds = {0.1, 30}, .metavar = "S"}),
};
static_assert(describes<LiveOptions>(kLiveRows));

template <auto kField>
constexpr OptionName kName = name_of<kField>(kRows);

// What batch_size above 0 is on the command line.
constexpr OptionName kBatched{kName<&T::batch_size>.field, "--batched"};

void check_decoding(const T& options) {
  if (options.patience && !options.beam_size) {
    fail_option("{} needs {}.", kName<&T::patience>, kName<&T::beam_size>);
  }
  if (options.carry_initial_prompt && stripped(options.initial_prompt).empty()) {
    fail_option("{} needs {}.", kName<&T::carry_initial_prompt>, kName<&T::initial_prompt>);
  }
  if (!stripped(options.hotwords).empty() && !stripped(options.prefix).empty()) {
    fail_option("{} and {} cannot be given together.", kName<&T::hotwords>, kName<&T::prefix>);
  }
  if (options.hallucination_silence_threshold && !options.word_timestamps) {
    fail_option("{} needs {}.", kName<&T::hallucination_silence_threshold>,
                kName<&T::word_timestamps>);
  }
}

void check_clips(const T& options) {
  const std::vector<double>& times = options.clip_timestamps;
  for (size_t i = 0; i + 1 < times.size(); i += 2) {
    if (times[i + 1] < times[i]) {
      fail_option("{}: a clip ends at {} s, before it begins at {} s.", kName<&T::clip_timestamps>,
                  times[i + 1], times[i]);
    }
  }
}

void check_speech(const T& options) {
  if (options.vad_options && !options.vad_filter && options.batch_size == 0) {
    fail_option("Options of the voice activity detection need {} or {}.", kName<&T::vad_filter>,
                kBatched);
  }
  if (options.vad_options) options.vad_options->validate();
  if (options.batch_size > 0 && options.hallucination_silence_threshold) {
    fail_option(
        "{} skips silence on a walk from window to window; with {} voice activity detection leaves "
        "silence out already.",
        kName<&T::hallucination_silence_threshold>, kBatched);
  }
}

void check_audio_context(const T& options) {
  if (options.audio_context == "auto" || options.audio_context == "full") return;
  if (!seconds_of_context(options)) {
    fail_option("{} is \"{}\"; expected full, auto or seconds from 0 to {}.",
                kName<&T::audio_context>, options.audio_context, kWindowSeconds);
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

void check_languages(const T& options) {
  const bool several = !wanted_languages(options).empty();
  if (!wanted_language(options)) return;
  if (options.multilingual) {
    fail_option("{} and {} cannot be given together.", kName<&T::multilingual>,
                kName<&T::language>);
  }
  if (several) {
    fail_option("{} and {} cannot be given together.", kName<&T::languages>, kName<&T::language>);
  }
}

}  // namespace

template <>
const OptionTable& option_table<TranscribeOptions>() {
  static const OptionTable table = table_of<TranscribeOptions>(kRows);
  return table;
}

template <>
const OptionTable& option_table<LiveOptions>() {
  static const OptionTable table = table_of<LiveOptions>(kLiveRows);
  return table;
}

std::optional<std::string> wanted_language(const TranscribeOptions& options) {
  if (!options.language || options.language == "auto") return std::nullopt;
  return code_of(*options.language, kName<&T::language>);
}

std::vector<std::string> wanted_languages(const TranscribeOptions& options) {
  std::vector<std::string> codes;
  for (const std::string& language : options.languages) {
    const std::string code = code_of(language, kName<&T::languages>);
    if (std::ranges::find(codes, code) == codes.end()) codes.push_back(code);
  }
  return codes;
}

std::optional<double> seconds_of_context(const TranscribeOptions& options) {
  const std::string& text = options.audio_context;
  double seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (!(seconds >= 0 && seconds <= kWindowSeconds)) return std::nullopt;
  return seconds;
}

void TranscribeOptions::validate() const {
  check_rows(*this);
  check_decoding(*this);
  check_clips(*this);
  check_speech(*this);
  check_languages(*this);
  check_audio_context(*this);
}

VadOptions live_vad_options() {
  return {.min_speech_duration_ms = 250,
          .max_speech_duration_s = 28.0,
          .min_silence_duration_ms = 500,
          .speech_pad_ms = 200};
}

void LiveOptions::validate() const {
  check_rows(*this);
  transcribe.validate();
  vad.validate();
  if (transcribe.vad_filter || transcribe.batch_size > 0) {
    fail_option("{} and {} are for recordings; live utterances are speech already.",
                kName<&T::vad_filter>, kName<&T::batch_size>);
  }
}

}  // namespace whisper_s4y
