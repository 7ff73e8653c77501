// whisper-s4y listen: text while somebody speaks.
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "audio/audio_options.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "cli/model_options.h"
#include "cli/option_flags.h"
#include "cli/progress.h"
#include "cli/signals.h"
#include "cli/sound_source.h"
#include "cli/transcribe_flags.h"
#include "common/utf8.h"
#include "whisper_s4y/error.h"
#include "whisper_s4y/live.h"
#include "whisper_s4y/output.h"

namespace whisper_s4y {
namespace {

struct ListenArguments {
  std::filesystem::path model;     // a bundle
  std::string source = "default";  // "-", or an ALSA device
  AudioOptions audio;              // of a pipe: pcm_format
  bool times = false;              // before each line
  LiveOptions live;                // when to transcribe
  TranscribeFlags flags;           // how
  ModelOptions runtime;            // how to run
};

/// Reads in a thread of its own, so that no sound is lost while the model computes. The thread may
/// wait for sound for ever and is left behind when the command ends.
class Recorder {
 public:
  explicit Recorder(std::unique_ptr<SoundSource> source) : shared_(std::make_shared<Shared>()) {
    shared_->source = std::move(source);
    std::thread([shared = shared_] { shared->record(); }).detach();
  }

  /// Waits for sound, but no longer than until a signal comes, and takes all there is; nothing
  /// when the sound is over. Throws what reading threw.
  std::vector<float> take() {
    std::unique_lock lock(shared_->mutex);
    // A signal handler cannot wake who waits.
    while (shared_->samples.empty() && !shared_->over && caught_signal() == 0) {
      shared_->changed.wait_for(lock, std::chrono::milliseconds(50));
    }
    if (shared_->samples.empty() && shared_->error) std::rethrow_exception(shared_->error);
    return std::exchange(shared_->samples, {});
  }

 private:
  struct Shared {
    void record() {
      std::array<float, size_t{2} * kVadChunk> piece{};
      try {
        while (const size_t count = source->read(piece)) {
          const std::lock_guard lock(mutex);
          samples.insert(samples.end(), piece.begin(),
                         piece.begin() + static_cast<std::ptrdiff_t>(count));
          changed.notify_one();
        }
        end({});
      } catch (...) {  // is thrown again by take()
        end(std::current_exception());
      }
    }

    void end(std::exception_ptr reason) {
      const std::lock_guard lock(mutex);
      over = true;
      error = std::move(reason);
      changed.notify_one();
    }

    std::unique_ptr<SoundSource> source;
    std::mutex mutex;  // of what follows
    std::condition_variable changed;
    std::vector<float> samples;
    bool over = false;
    std::exception_ptr error;
  };

  std::shared_ptr<Shared> shared_;
};

/// On a terminal the line of the utterance is written anew with every hypothesis; elsewhere only
/// lines that are final come out.
class Screen {
 public:
  explicit Screen(bool times) : times_(times), terminal_(::isatty(STDOUT_FILENO) == 1) {}

  void show(const LiveText& text) {
    if (!text.is_final && !terminal_) return;
    if (terminal_) print_out("\r\x1b[K");
    std::string confirmed(trimmed(text.confirmed));
    if (times_) {
      confirmed = fmt::format("[{} --> {}]  {}", format_timestamp(text.start),
                              format_timestamp(text.end), confirmed);
    }
    if (text.is_final && trimmed(text.confirmed).empty()) {
      // It was no speech after all: there is no line.
    } else if (text.is_final) {
      print_out("{}\n", confirmed);
    } else {
      show_end_of(confirmed, text.tentative);
    }
    flush_out();
  }

 private:
  /// As much of the end as fits into one line; what may change is dim.
  static void show_end_of(const std::string& confirmed, const std::string& tentative) {
    winsize size{};
    const bool known = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    const size_t width = known ? size.ws_col - 1U : 79U;
    std::u32string sure = code_points(confirmed);
    std::u32string unsure = code_points(tentative);
    if (unsure.size() > width) unsure.erase(0, unsure.size() - width);
    if (sure.size() + unsure.size() > width) sure.erase(0, sure.size() + unsure.size() - width);
    std::string line;
    for (const char32_t code : sure) append_utf8(line, code);
    line += "\x1b[2m";
    for (const char32_t code : unsure) append_utf8(line, code);
    print_out("{}\x1b[0m", line);
  }

  bool times_;
  bool terminal_;
};

void run_listen(const ListenArguments& arguments) {
  LiveOptions options = arguments.live;
  options.transcribe = arguments.flags.finished(arguments.runtime.options.threads);
  options.validate();
  const RuntimeOptions runtime = runtime_options(arguments.runtime);
  const bool pipe = arguments.source == "-";
  auto source = pipe ? open_pipe(arguments.audio.pcm_format) : open_microphone(arguments.source);
  Transcriber transcriber(Model(arguments.model, runtime));
  const auto detector = make_speech_detector([&](const std::string& warning) {
    if (!arguments.runtime.quiet) print_warning(warning);
  });
  Screen screen(arguments.times);
  int utterances = 0;
  double delay = 0;                // summed: from the end of speech to its text
  std::optional<Stopwatch> watch;  // since the beginning of the sound
  LiveTranscriber live(transcriber, *detector, options, [&](const LiveText& text) {
    screen.show(text);
    if (!text.is_final) return;
    ++utterances;
    delay += watch->seconds() - text.end;
  });
  if (!arguments.runtime.quiet) {
    print_err("Listening to {}.\n",
              pipe ? "standard input" : "the sound device " + arguments.source);
  }
  catch_first_signal();
  Recorder recorder(std::move(source));
  int64_t heard = 0;
  for (bool more = true; more;) {
    more = caught_signal() == 0;  // after a signal what is there already is the last
    const std::vector<float> samples = recorder.take();
    if (samples.empty()) break;
    if (!watch) watch.emplace();
    heard += static_cast<int64_t>(samples.size());
    live.push(samples);
  }
  if (watch) live.finish();
  if (!arguments.runtime.quiet) {
    print_err("{} of sound, {} utterance{}",
              format_duration(static_cast<double>(heard) / kSampleRate), utterances,
              utterances == 1 ? "" : "s");
    // Sound that comes faster than it was spoken has no delay to speak of.
    if (utterances > 0 && delay > 0) {
      print_err(", text {:.1f} s after the end of the words on average", delay / utterances);
    }
    print_err(".\n");
  }
  if (caught_signal() != 0) end_by_signal(caught_signal());
}

}  // namespace

void add_listen_command(CLI::App& app) {
  auto arguments = std::make_shared<ListenArguments>();
  CLI::App* command = app.add_subcommand(
      "listen",
      "Transcribe while somebody speaks: a microphone, or a pipe. On a terminal the line is "
      "revised until it is certain; elsewhere each utterance is a line when it is over.");
  command->add_option("MODEL", arguments->model, "A .tflite file that `convert` has written")
      ->required();
  command
      ->add_option("SOURCE", arguments->source,
                   "A sound device of ALSA, or - for raw PCM from standard input: mono, 16000 "
                   "samples a second")
      ->capture_default_str();
  command->add_flag("--times", arguments->times, "Write begin and end before each line");
  add_flags(*command, arguments->live, {"update_interval"});
  add_flags(*command, arguments->audio, {"pcm_format"});
  add_model_options(*command, arguments->runtime);
  arguments->flags.options.without_timestamps = true;  // an utterance is one line
  add_flags(*command, arguments->flags.options,
            {"task", "language", "languages", "multilingual", "initial_prompt", "hotwords",
             "beam_size", "condition_on_previous_text"});
  add_flags(*command, arguments->live, {"vad"});
  command->footer(
      "Examples:\n"
      "  whisper-s4y listen whisper-base.tflite\n"
      "  whisper-s4y listen whisper-base.tflite hw:1,0 --language de\n"
      "  ffmpeg -i URL -f s16le -ac 1 -ar 16000 - | whisper-s4y listen whisper-base.tflite - "
      "--times");
  command->callback([arguments] { run_listen(*arguments); });
}

}  // namespace whisper_s4y
