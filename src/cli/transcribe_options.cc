#include "cli/transcribe_options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <string>
#include <type_traits>

#include "common/options.h"
#include "runtime/cpu.h"

namespace whisper_s4y {
namespace {

// More windows at once need much memory.
constexpr int kMostAtOnce = 8;

constexpr float kLeastIncrement = 0.01F;  // a hundred tries

constexpr OptionName kBatched{"batched"};
constexpr OptionName kBatchSize{"batch_size"};
constexpr OptionName kIncrement{"temperature_increment_on_fallback"};

constexpr NumberOption<TranscribeFlags> kFlagNumbers[] = {
    number_option<&TranscribeFlags::temperature>({"temperature"}, 0, 10),
    number_option<&TranscribeFlags::batch_size>(kBatchSize, 1, kNoLimit),
    number_option<&TranscribeFlags::temperature_increment_on_fallback>(kIncrement, 0, 10),
};

constexpr const char* kSpeech = "Speech";
constexpr const char* kDecoding = "Decoding";

CLI::Option* group(CLI::Option* option, const char* name, const char* type) {
  option->group(name);
  if (option->get_items_expected_max() > 0) option->type_name(type);
  return option;
}

/// An option that takes a number, or "none" to switch its rule off.
void add_threshold(CLI::App& command, const std::string& name, std::optional<float>& value,
                   const std::string& description) {
  auto* option = command.add_option_function<std::string>(
      name,
      [name, &value](const std::string& text) {
        if (text == "none") {
          value.reset();
          return;
        }
        float number = 0;
        if (!CLI::detail::lexical_cast(text, number)) {
          throw CLI::ValidationError(name, "expected a number or none, not " + text);
        }
        value = number;
      },
      description);
  option->type_name("X|none")->group(kDecoding);
  if (value) option->default_str(fmt::format("{}", *value));
}

}  // namespace

TranscribeOptions TranscribeFlags::finished(int threads) const {
  TranscribeOptions result = options;
  check_numbers(*this, kFlagNumbers);
  if (temperature_increment_on_fallback > 0 &&
      temperature_increment_on_fallback < kLeastIncrement) {
    fail_option("{} must be 0 or at least {}, not {}.", kIncrement, kLeastIncrement,
                temperature_increment_on_fallback);
  }
  if (vad_options_given) result.vad_options = vad;
  if (batch_size && !batched) fail_option("{} needs {}.", kBatchSize, kBatched);
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

void add_live_options(CLI::App& command, TranscribeFlags& flags) {
  TranscribeOptions& options = flags.options;
  group(command.add_option("-l,--language", options.language,
                           "Language of the speech: a code (de) or a name (German); without it "
                           "the language is detected"),
        kSpeech, "LANG");
  group(command
            .add_option("--languages", options.languages,
                        "Detect one of these languages only: codes or names with commas between")
            ->delimiter(',')
            ->allow_extra_args(false),
        kSpeech, "LANG,...");
  group(command.add_flag("--multilingual", options.multilingual,
                         "Several languages are spoken: detect that of every stretch of speech"),
        kSpeech, "");
  group(command.add_option("--task", options.task, "transcribe, or translate into English")
            ->check(CLI::IsMember({"transcribe", "translate"}).description(""))
            ->capture_default_str(),
        kSpeech, "TASK");
  group(command.add_option("--initial-prompt", options.initial_prompt,
                           "Text to begin after: names, spelling, style"),
        kSpeech, "TEXT");
  group(command.add_option("--hotwords", options.hotwords, "Words to expect in every window"),
        kSpeech, "TEXT");
  group(command.add_option("--beam-size", options.beam_size,
                           "Beams at temperature 0; without it the likeliest token is taken"),
        kDecoding, "N");
  group(command.add_flag_callback(
            "--no-condition-on-previous-text",
            [&options] { options.condition_on_previous_text = false; },
            "Decode each window without the text before it: repetitions cannot spread"),
        kDecoding, "");
}

void add_transcribe_options(CLI::App& command, TranscribeFlags& flags) {
  TranscribeOptions& options = flags.options;
  add_live_options(command, flags);
  group(command
            .add_option("--language-detection-segments", options.language_detection_segments,
                        "Windows of 30 s with speech to look at until one is sure of its language; "
                        "if none is, they vote")
            ->capture_default_str(),
        kSpeech, "N");
  group(command
            .add_option("--language-detection-threshold", options.language_detection_threshold,
                        "Probability above which a window is sure")
            ->capture_default_str(),
        kSpeech, "P");
  group(command.add_flag("--carry-initial-prompt", options.carry_initial_prompt,
                         "Put the initial prompt before every 30 s window"),
        kSpeech, "");
  group(command.add_option("--prefix", options.prefix, "Text the recording begins with"), kSpeech,
        "TEXT");
  group(command
            .add_option("--clip-timestamps", options.clip_timestamps,
                        "Transcribe these parts only: start,end,start,end,... in seconds")
            ->delimiter(',')
            ->allow_extra_args(false),
        kSpeech, "S,S,...");

  constexpr const char* kTimes = "Times";
  group(command.add_flag("--word-timestamps", options.word_timestamps,
                         "Find the times of words too (in json, srt and vtt)"),
        kTimes, "");
  group(command.add_flag("--without-timestamps", options.without_timestamps,
                         "Decode text only: one segment for each 30 s"),
        kTimes, "");
  group(command.add_option("--hallucination-silence-threshold",
                           options.hallucination_silence_threshold,
                           "Leave out improbable text around silence longer than this; needs "
                           "--word-timestamps"),
        kTimes, "SECONDS");

  group(command.add_option("--patience", options.patience,
                           "Wait for beam size times this many finished beams"),
        kDecoding, "X");
  group(command.add_option("--length-penalty", options.length_penalty,
                           "Exponent of the length that ranks beams and samples; without it the "
                           "mean log-probability ranks"),
        kDecoding, "X");
  group(command.add_option("--best-of", options.best_of, "Samples at temperatures above 0")
            ->default_str(fmt::format("{}", options.best_of.value_or(1))),
        kDecoding, "N");
  group(command
            .add_option("--temperature", flags.temperature,
                        "Of the first try; 0 takes the likeliest tokens")
            ->capture_default_str(),
        kDecoding, "X");
  group(command
            .add_option("--temperature-increment-on-fallback",
                        flags.temperature_increment_on_fallback,
                        "Of each further try, up to 1, while the text is repetitive or "
                        "unlikely; 0 tries once")
            ->capture_default_str(),
        kDecoding, "X");
  add_threshold(command, "--compression-ratio-threshold", options.compression_ratio_threshold,
                "Text that compresses better than this is repetitive");
  add_threshold(command, "--logprob-threshold", options.logprob_threshold,
                "Text whose mean log-probability is lower is unlikely");
  add_threshold(command, "--no-speech-threshold", options.no_speech_threshold,
                "A window that is unlikely and whose no-speech probability is higher is silence");
  group(command
            .add_option("--suppress-tokens", options.suppress_tokens,
                        "Token ids never to use, with commas; -1 stands for symbols that are "
                        "not spoken")
            ->delimiter(',')
            ->allow_extra_args(false)
            ->default_str("-1"),
        kDecoding, "ID,...");
  group(command
            .add_option("--repetition-penalty", options.repetition_penalty,
                        "Above 1 makes what was said in the window less likely")
            ->capture_default_str(),
        kDecoding, "X");
  group(command
            .add_option("--no-repeat-ngram-size", options.no_repeat_ngram_size,
                        "Allow no run of so many tokens twice in a window; 0 allows")
            ->capture_default_str(),
        kDecoding, "N");
  group(command.add_option("--max-new-tokens", options.max_new_tokens,
                           "Most tokens of a window; without it 224"),
        kDecoding, "N");
  group(command.add_option("--seed", options.seed, "Of the samples at temperatures above 0")
            ->check([](const std::string& text) -> std::string {
              // CLI11 would take -1 for the largest number there is.
              return text.starts_with('-') ? "must be 0 or more, not " + text : "";
            })
            ->capture_default_str(),
        kDecoding, "N");
}

void add_speech_options(CLI::App& command, TranscribeFlags& flags) {
  constexpr const char* kGroup = "Voice activity (see docs/vad.md)";
  TranscribeOptions& options = flags.options;
  command
      .add_flag(
          "--vad", options.vad_filter,
          "Leave out what is no speech before transcribing; times stay those of the recording")
      ->group(kGroup);
  command
      .add_flag("--batched", flags.batched,
                "Decode stretches of speech of up to 30 s without the text before them, several at "
                "once, each with its part of the threads")
      ->group(kGroup);
  command
      .add_option("--batch-size", flags.batch_size,
                  "How many at once, with --batched; without it one for each thread, up to 8")
      ->type_name("N")
      ->group(kGroup);
  const auto add = [&](const std::string& name, auto& value, const char* type,
                       const std::string& description, const std::string& shown) {
    using Value = std::remove_reference_t<decltype(value)>;
    command
        .add_option_function<Value>(
            name,
            [&value, &flags](const Value& given) {
              value = given;
              flags.vad_options_given = true;
            },
            description)
        ->type_name(type)
        ->default_str(shown)
        ->group(kGroup);
  };
  VadOptions& vad = flags.vad;
  add("--vad-threshold", vad.threshold, "P", "Probability from which on sound is speech",
      fmt::format("{}", vad.threshold));
  command
      .add_option_function<double>(
          "--vad-neg-threshold",
          [&flags](const double& given) {
            flags.vad.neg_threshold = given;
            flags.vad_options_given = true;
          },
          "Probability below which speech ends; without it 0.15 below the threshold")
      ->type_name("P")
      ->group(kGroup);
  add("--vad-min-speech-duration-ms", vad.min_speech_duration_ms, "MS",
      "Leave out speech that is shorter", fmt::format("{}", vad.min_speech_duration_ms));
  add("--vad-max-speech-duration-s", vad.max_speech_duration_s, "S",
      "Part speech that is longer, at a pause if there is one; without it 30 with --batched, else "
      "never",
      "");
  add("--vad-min-silence-duration-ms", vad.min_silence_duration_ms, "MS",
      "Silence that ends a stretch of speech; with --batched and no other option of these 160",
      fmt::format("{}", vad.min_silence_duration_ms));
  add("--vad-speech-pad-ms", vad.speech_pad_ms, "MS", "Sound to keep around speech",
      fmt::format("{}", vad.speech_pad_ms));
}

void add_layout_options(CLI::App& command, OutputOptions& options) {
  const auto group = [](CLI::Option* option) {
    option->group("Subtitles (srt and vtt; need --word-timestamps)");
    if (option->get_items_expected_max() > 0) option->type_name("N");
  };
  group(
      command.add_option("--max-line-width", options.max_line_width, "Most characters in a line"));
  group(command.add_option("--max-line-count", options.max_line_count,
                           "Most lines of a cue; needs --max-line-width"));
  group(command.add_option("--max-words-per-line", options.max_words_per_line,
                           "Most words of a cue"));
  group(command.add_flag("--highlight-words", options.highlight_words,
                         "Underline each word while it is spoken"));
}

}  // namespace whisper_s4y
