// whisper-s4y verify: whether a .tflite file does what it should.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>

#include "cli/commands.h"
#include "cli/console.h"
#include "cli/model_options.h"
#include "cli/option_flags.h"
#include "cli/pull_progress.h"
#include "common/fail.h"
#include "common/temporary_file.h"
#include "config/front_end.h"
#include "options/option_table.h"
#include "tflite/model_metadata.h"
#include "verify/check_signatures.h"
#include "verify/compare_models.h"
#include "verify/test_signal.h"
#include "whisper_s4y/audio.h"
#include "whisper_s4y/checkpoint.h"
#include "whisper_s4y/convert.h"

namespace whisper_s4y {
namespace {

constexpr size_t kWindow = kWindowSamples;
constexpr int kTokensOfTestSignal = 32;  // it is no speech: more would be repetition
constexpr int kTokensOfSpeech = 224;
// A signature is done in a small part of that, on slow machines too.
constexpr int kSecondsToRun = 120;
constexpr int kMostSecondsToRun = 1 << 20;

struct VerifyArguments {
  std::filesystem::path model;               // the file to verify
  std::string against;                       // a checkpoint or another model; empty: none
  std::vector<std::filesystem::path> audio;  // recordings; empty: test_signal()
  std::optional<double> max_mel;             // replace default_bounds()
  std::optional<double> max_encoder;         //
  std::optional<double> max_logits;          //
  std::optional<int> time_limit;             // seconds; empty: default_time_limit()
  ModelOptions runtime;                      // how to run
};

constexpr OptionDetails bound() {
  return {.bounds = {0, kNoLimit},
          .group =
              "Bounds: root mean square of the difference as part of the reference's "
              "(default: by the file's number formats)"};
}

constexpr Option kRows[] = {
    option<&VerifyArguments::max_mel>("max_mel", "Of the log-mel spectrogram", bound()),
    option<&VerifyArguments::max_encoder>("max_encoder", "Of the last hidden state", bound()),
    option<&VerifyArguments::max_logits>("max_logits", "Of the logits", bound()),
    option<&VerifyArguments::time_limit>("time_limit", "Seconds that a signature may run",
                                         {.bounds = {1, kMostSecondsToRun}, .metavar = "SECONDS"}),
};

/// Ends the program unless it is destroyed in time: a file may hold a loop without end, and nothing
/// can stop LiteRT while it runs.
class TimeLimit {
 public:
  TimeLimit(int seconds, const std::string& what)
      : thread_([this, seconds, what](const std::stop_token& done) {
          std::unique_lock lock(mutex_);
          changed_.wait_for(lock, done, std::chrono::seconds(seconds), [] { return false; });
          if (done.stop_requested()) return;
          std::fflush(stdout);
          print_err(
              "whisper-s4y: {} did not come to an end in {} s: --time-limit gives it more, "
              "but the file may hold a loop without end.\n",
              what, seconds);
          std::_Exit(1);
        }) {}

 private:
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::jthread thread_;  // the last to be made and the first to end
};

int default_time_limit(const TfliteFile& file) {
  return kSecondsToRun + static_cast<int>(file.size() / 1'000'000);
}

bool is_tflite(const std::filesystem::path& path) {
  return std::filesystem::is_regular_file(path) && path.extension() == ".tflite";
}

Bounds bounds_of(const VerifyArguments& arguments, const TfliteFile& file) {
  Bounds bounds = default_bounds(file);
  bounds.mel = arguments.max_mel.value_or(bounds.mel);
  bounds.encoder = arguments.max_encoder.value_or(bounds.encoder);
  bounds.logits = arguments.max_logits.value_or(bounds.logits);
  return bounds;
}

/// False when the difference is beyond the bound, or no number.
bool print_row(std::string_view name, const Difference& difference, double bound) {
  const bool good = difference.relative <= bound;
  print_out("  {:<10}{:>12.2e}{:>12.2e}{:>12.2e}{}\n", name, difference.relative,
            difference.largest, bound, good ? "" : "  too much");
  return good;
}

bool print_window(const std::string& name, const WindowComparison& c, const Bounds& bounds) {
  print_out("{}\n  {:<10}{:>12}{:>12}{:>12}\n", name, "", "relative", "largest", "bound");
  const bool mel = print_row("mel", c.mel, bounds.mel);
  const bool encoder = print_row("encoder", c.encoder, bounds.encoder);
  const bool logits = print_row("logits", c.logits, bounds.logits);
  if (c.first_difference < 0) {
    print_out("  the same {} tokens: {}\n", c.tokens.size(), c.text);
  } else {
    print_out("  token {} of {} differs\n  text:      {}\n  reference: {}\n", c.first_difference,
              c.reference_tokens.size(), c.text, c.reference_text);
  }
  return mel && encoder && logits;
}

/// Compares window after window of a sound; false when one is beyond the bounds.
bool compare_sound(WhisperModel& model, WhisperModel& reference, const Bounds& bounds,
                   const std::string& name, std::span<const float> audio, int max_tokens) {
  bool good = true;
  for (size_t start = 0; start < audio.size(); start += kWindow) {
    std::vector<float> window(kWindow, 0.0F);
    std::ranges::copy(audio.subspan(start, std::min(kWindow, audio.size() - start)),
                      window.begin());
    const std::string title = fmt::format("{}, from {} s", name, start / kSampleRate);
    const WindowComparison comparison = compare_models(model, reference, window, max_tokens);
    good = print_window(title, comparison, bounds) && good;
  }
  return good;
}

/// The checkpoint or model to compare with. What is not there is found before anything runs.
std::filesystem::path open_reference(const VerifyArguments& arguments) {
  for (const std::filesystem::path& recording : arguments.audio) {
    if (recording != "-") const AudioReader reader(recording);
  }
  if (is_tflite(arguments.against)) return arguments.against;
  return resolve_checkpoint(arguments.against, {}, pull_progress(arguments.runtime.quiet));
}

/// The reference is converted to float32 unless it is a model already.
void compare(const VerifyArguments& arguments, const TfliteFile& file, std::filesystem::path path) {
  std::optional<TemporaryFile> converted;
  if (!is_tflite(path)) {
    converted.emplace("reference");
    ConvertOptions options;
    options.verify = false;
    convert(path.string(), converted->path(), options,
            {.on_warning = pull_progress(arguments.runtime.quiet).on_warning});
    path = converted->path();
  }
  RuntimeOptions options = runtime_options(arguments.runtime);
  options.use_cache = false;
  WhisperModel model(arguments.model, options);
  WhisperModel reference(path, options);
  const Bounds bounds = bounds_of(arguments, file);
  bool good = true;
  for (const std::filesystem::path& recording : arguments.audio) {
    good = compare_sound(model, reference, bounds, recording.string(), load_audio(recording),
                         kTokensOfSpeech) &&
           good;
  }
  if (arguments.audio.empty()) {
    good = compare_sound(model, reference, bounds, "test signal", test_signal(kWindow),
                         kTokensOfTestSignal);
  }
  if (!good) fail("{} differs too much from {}.", arguments.model.string(), arguments.against);
}

void run_verify(const VerifyArguments& arguments) {
  const auto file = std::make_shared<TfliteFile>(arguments.model);
  check_promises(*file);
  std::filesystem::path reference;
  if (!arguments.against.empty()) reference = open_reference(arguments);
  const std::vector<std::string> keys = checkable_signatures(*file);
  RuntimeOptions options = runtime_options(arguments.runtime);
  options.use_cache = false;
  for (const std::string& key : keys) {
    const TimeLimit limit(arguments.time_limit.value_or(default_time_limit(*file)),
                          fmt::format("{}: signature \"{}\"", arguments.model.string(), key));
    check_signatures(file, {key}, options);
    print_out("signature {} runs, every number is finite\n", key);
  }
  if (!reference.empty()) compare(arguments, *file, std::move(reference));
}

}  // namespace

void add_verify_command(CLI::App& app) {
  auto arguments = std::make_shared<VerifyArguments>();
  CLI::App* command = app.add_subcommand(
      "verify",
      "Check that a .tflite file runs and does what its checkpoint does. Without --against every "
      "signature is held to docs/models.md and run alone, and must give finite numbers.");
  command->add_option("MODEL", arguments->model, "A .tflite file that `convert` has written")
      ->required();
  CLI::Option* against =
      command
          ->add_option("--against", arguments->against,
                       "Compare mel spectrogram, encoder, logits, tokens and text with this "
                       "checkpoint in float32, or with another .tflite file")
          ->type_name("CHECKPOINT|MODEL");
  command
      ->add_option("--audio", arguments->audio,
                   "Recordings to compare on; without any a sound is made")
      ->type_name("FILE...")
      ->needs(against);
  static const OptionTable table = table_of<VerifyArguments>(kRows);
  add_flags(
      *command, table, [arguments]() -> void* { return arguments.get(); }, arguments.get());
  for (const char* bound : {"--max-mel", "--max-encoder", "--max-logits"}) {
    command->get_option(bound)->needs(against);
  }
  command->get_option("--time-limit")
      ->description(fmt::format("{} (default: {}, and one more for each MB of the file)",
                                find_option(table, "time_limit").help, kSecondsToRun));
  add_model_options(*command, arguments->runtime, {"threads"});  // nothing is kept
  command->footer(
      "Exit code 1 when a signature fails or a difference is beyond its bound.\n"
      "\n"
      "Examples:\n"
      "  whisper-s4y verify whisper-base.tflite\n"
      "  whisper-s4y verify whisper-base.tflite --against whisper-base/ --audio talk.mp3\n"
      "  whisper-s4y verify base-int4.tflite --against base.tflite --max-logits 0.1");
  command->callback([arguments] { run_verify(*arguments); });
}

}  // namespace whisper_s4y
