// whisper-s4y transcribe: speech to text.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <exception>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <vector>

#include "audio/audio_options.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "cli/model_options.h"
#include "cli/option_flags.h"
#include "cli/option_values.h"
#include "cli/progress.h"
#include "cli/recordings.h"
#include "cli/transcribe_flags.h"
#include "common/fail.h"
#include "common/utf8.h"
#include "output/output_options.h"
#include "whisper_s4y/audio.h"
#include "whisper_s4y/output.h"
#include "whisper_s4y/transcriber.h"

namespace whisper_s4y {
namespace {

namespace fs = std::filesystem;

struct TranscribeArguments {
  fs::path model;                       // a bundle
  std::vector<std::string> recordings;  // as find_recordings() takes them
  std::string format = "txt";           // as output_formats() takes it
  fs::path folder;                      // for files; empty: standard output
  int jobs = 1;                         // recordings at a time
  bool resume = false;                  // leave out what is done
  AudioOptions audio;                   // of raw PCM
  OutputOptions layout;                 // of subtitles
  TranscribeFlags flags;                // how to decode
  ModelOptions runtime;                 // how to run

  [[nodiscard]] bool to_stdout() const { return folder.empty(); }
  [[nodiscard]] bool prints_segments() const { return to_stdout() && format == "txt"; }
};

constexpr std::string_view kMany = "Many recordings (need -o)";
constexpr Option kRows[] = {
    option<&TranscribeArguments::jobs>("jobs",
                                       "Recordings at a time, each with its part of the threads",
                                       {.bounds = {1, 64}, .group = kMany, .short_flag = "-j"}),
    option<&TranscribeArguments::resume>(
        "resume", "Leave out recordings whose outputs are all there and no older than they are",
        {.group = kMany}),
};

fs::path output_of(const Recording& recording, OutputFormat format,
                   const TranscribeArguments& arguments) {
  return arguments.folder / recording.subfolder /
         fmt::format("{}.{}", recording.output, name_of(format));
}

/// What the options mean together; wrong usage otherwise.
void check_outputs(const std::vector<Recording>& recordings, const TranscribeArguments& arguments) {
  const std::vector<OutputFormat> formats = output_formats(arguments.format);
  if (arguments.to_stdout()) {
    if (formats.size() > 1) {
      throw CLI::ValidationError("--format", "several formats need a folder, -o DIR");
    }
    if (arguments.jobs > 1 || arguments.resume) {
      throw CLI::ValidationError(arguments.resume ? "--resume" : "--jobs",
                                 "needs a folder to write to, -o DIR");
    }
    const bool one_after_the_other =
        formats[0] == OutputFormat::txt || formats[0] == OutputFormat::json;
    if (recordings.size() > 1 && !one_after_the_other) {
      throw CLI::ValidationError(
          "--format",
          fmt::format("several recordings as {} need a folder, -o DIR", name_of(formats[0])));
    }
    return;
  }
  std::map<fs::path, fs::path> recording_of;
  for (const Recording& recording : recordings) {
    const fs::path output = output_of(recording, formats[0], arguments);
    const auto [other, is_new] = recording_of.emplace(output, recording.path);
    if (!is_new) {
      throw CLI::ValidationError(
          "--output", fmt::format("{} and {} would both be written to {}", other->second.string(),
                                  recording.path.string(), output.string()));
    }
    for (const OutputFormat format : formats) {
      std::error_code missing;  // then there is nothing to overwrite
      if (fs::equivalent(recording.path, output_of(recording, format, arguments), missing)) {
        throw CLI::ValidationError(
            "--output", fmt::format("{} would be written over itself", recording.path.string()));
      }
    }
  }
}

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error)
    fail(ErrorCode::io, "Cannot create the folder {}: {}.", folder.string(), error.message());
}

std::string name_of(const Recording& recording) {
  return recording.path == "-" ? "standard input" : recording.path.string();
}

void write_files(const Transcript& transcript, const Recording& recording,
                 const TranscribeArguments& arguments) {
  make_folder(arguments.folder / recording.subfolder);
  for (const OutputFormat format : output_formats(arguments.format)) {
    write_transcript(transcript, format, arguments.layout, output_of(recording, format, arguments));
  }
}

/// A transcript in JSON that says whose it is.
std::string with_file_name(const std::string& json, const std::string& name) {
  const std::string quoted =
      nlohmann::json(name).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return fmt::format("{{\"file\": {}, {}", quoted, std::string_view(json).substr(1));
}

void print_segments(std::vector<Segment> segments) {
  Transcript transcript;
  transcript.segments = std::move(segments);
  write_out(format_transcript(transcript, OutputFormat::txt));
  flush_out();
}

/// "language en", or "languages en, de" when there are several.
std::string languages_of(const Transcript& transcript) {
  std::vector<std::string> languages;
  for (const Segment& segment : transcript.segments) {
    if (std::ranges::find(languages, segment.language) == languages.end()) {
      languages.push_back(segment.language);
    }
  }
  if (languages.size() > 1) return fmt::format("languages {}", fmt::join(languages, ", "));
  return "language " + (transcript.language.empty() ? "not found" : transcript.language);
}

/// The recordings of one run, taken by one or more transcribers at a time.
class Run {
 public:
  Run(const TranscribeArguments& arguments, TranscribeOptions options, Recordings recordings)
      : arguments_(arguments),
        options_(std::move(options)),
        recordings_(std::move(recordings.found)),
        shares_stdout_(arguments.to_stdout() && recordings_.size() > 1) {
    check_outputs(recordings_, arguments);
    if (!arguments.to_stdout()) make_folder(arguments.folder);
    for (const std::string& problem : recordings.problems) report(problem);
  }

  /// Recordings whose outputs are there already.
  void leave_out_done() {
    std::erase_if(recordings_, [&](const Recording& recording) {
      std::vector<fs::path> outputs;
      for (const OutputFormat format : output_formats(arguments_.format)) {
        outputs.push_back(output_of(recording, format, arguments_));
      }
      const bool done = is_done(recording.path, outputs);
      skipped_ += done;
      return done;
    });
  }

  [[nodiscard]] bool has_work() const { return !recordings_.empty(); }

  void transcribe(const Model& model) {
    const auto jobs = std::min(static_cast<size_t>(arguments_.jobs), recordings_.size());
    if (jobs <= 1) {
      Transcriber transcriber(model);
      work(transcriber);
      return;
    }
    SessionOptions share;
    share.threads = std::max(1, model.options().threads / static_cast<int>(jobs));
    std::vector<Transcriber> transcribers;
    for (size_t i = 0; i < jobs; ++i) transcribers.emplace_back(model, share);
    std::vector<std::jthread> threads;
    for (Transcriber& one : transcribers) {
      try {
        threads.emplace_back([this, &one] { work_to_the_end(one); });
      } catch (const std::system_error&) {
        if (threads.empty()) throw;
        break;  // fewer at a time do it too
      }
    }
    threads.clear();
    if (error_) std::rethrow_exception(error_);
  }

  /// Throws AlreadyReported when a recording failed.
  void finish() const {
    if (!arguments_.runtime.quiet && done_ + failed_ + skipped_ > 1) {
      print_err("{} transcribed, {} done before, {} failed.\n", done_, skipped_, failed_);
    }
    if (failed_ > 0) throw AlreadyReported();
  }

 private:
  void report(const std::string& message) {
    const std::lock_guard lock(mutex_);
    print_err("whisper-s4y: {}\n", message);
    ++failed_;
  }

  /// As work(), in a thread: what it throws is thrown again when all are done.
  void work_to_the_end(Transcriber& transcriber) {
    try {
      work(transcriber);
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!error_) error_ = std::current_exception();
      next_ = recordings_.size();  // nothing more is begun
    }
  }

  void work(Transcriber& transcriber) {
    for (size_t i = next_++; i < recordings_.size(); i = next_++) {
      try {
        transcribe(transcriber, recordings_[i]);
      } catch (const Error& error) {
        // One bad file does not keep the others from being done; a bad output does.
        flush_out();
        report(error.what());
      }
    }
  }

  void transcribe(Transcriber& transcriber, const Recording& recording) {
    const Stopwatch watch;
    AudioReader audio(recording.path, arguments_.audio);
    const std::string name = name_of(recording);
    Transcript transcript = transcribe(transcriber, audio, name);
    write(transcript, recording);
    const double seconds = watch.seconds();
    const std::lock_guard lock(mutex_);
    ++done_;
    if (arguments_.runtime.quiet) return;
    print_err("{}: {} of sound, {}, in {} ({:.1f} times real time).\n", visible(name),
              format_duration(transcript.duration), languages_of(transcript),
              format_duration(seconds), transcript.duration / seconds);
  }

  /// All channels. Text is printed while it is found, unless that of other channels belongs between
  /// it.
  Transcript transcribe(Transcriber& transcriber, AudioReader& audio, const std::string& name) {
    const bool prints = arguments_.prints_segments() && audio.channels().size() == 1;
    bool needs_name = arguments_.prints_segments() && shares_stdout_;
    const auto print_name = [&] {
      if (needs_name) print_out("{}{}:\n", done_ > 0 ? "\n" : "", visible(name));
      needs_name = false;
    };
    // Lines that come on the terminal are progress enough; several bars would overwrite each other.
    Progress progress(name, Progress::Unit::seconds,
                      arguments_.runtime.quiet || arguments_.jobs > 1 ||
                          (prints && ::isatty(STDOUT_FILENO) == 1));
    TranscribeCallbacks callbacks;
    if (!arguments_.runtime.quiet) {
      callbacks.on_warning = [&](const std::string& warning) {
        progress.clear();
        print_warning(warning);
      };
    }
    callbacks.on_progress = [&](double done, double total) {
      progress.update(static_cast<uint64_t>(done), static_cast<uint64_t>(total));
    };
    if (prints) {
      callbacks.on_segment = [&](const Segment& segment) {
        progress.clear();
        print_name();
        print_segments({segment});
      };
    }
    Transcript transcript = transcriber.transcribe_channels(audio, options_, callbacks);
    print_name();
    return transcript;
  }

  void write(const Transcript& transcript, const Recording& recording) const {
    if (!arguments_.to_stdout()) {
      write_files(transcript, recording, arguments_);
      return;
    }
    const OutputFormat format = output_format(arguments_.format);
    if (format == OutputFormat::txt) {
      const bool channels = std::ranges::any_of(
          transcript.segments, [](const Segment& segment) { return !segment.channel.empty(); });
      if (channels) print_segments(transcript.segments);  // others were printed while found
      return;
    }
    std::string text = format_transcript(transcript, format, arguments_.layout);
    if (format == OutputFormat::json) {
      if (shares_stdout_) text = with_file_name(text, name_of(recording));
      text += '\n';
    }
    write_out(text);
    flush_out();
  }

  const TranscribeArguments& arguments_;
  TranscribeOptions options_;
  std::vector<Recording> recordings_;
  bool shares_stdout_;  // several texts go there
  std::atomic<size_t> next_ = 0;
  std::mutex mutex_;  // of what follows and the standard error
  int done_ = 0;
  int skipped_ = 0;
  int failed_ = 0;
  std::exception_ptr error_;
};

void run_transcribe(const TranscribeArguments& arguments) {
  // All that can be wrong with options is told before anything is read.
  const TranscribeOptions options = arguments.flags.finished(arguments.runtime.options.threads);
  validate(arguments.layout, options.word_timestamps);
  arguments.audio.validate();
  const RuntimeOptions runtime = runtime_options(arguments.runtime);
  Run run(arguments, options, find_recordings(arguments.recordings));
  if (arguments.resume) run.leave_out_done();
  if (run.has_work()) {
    run.transcribe(Model(arguments.model, runtime));
  }
  run.finish();
}

}  // namespace

void add_transcribe_command(CLI::App& app) {
  auto arguments = std::make_shared<TranscribeArguments>();
  CLI::App* command = app.add_subcommand(
      "transcribe",
      "Transcribe recordings with a converted model. The text is printed while it is found.");
  command->add_option("MODEL", arguments->model, "A .tflite file that `convert` has written")
      ->required();
  command
      ->add_option("AUDIO", arguments->recordings,
                   "Recordings of any length in any format FFmpeg reads; folders, with all "
                   "recordings in them; quoted patterns like \"*.mp3\"; - is standard input")
      ->required();
  CLI::Option* format =
      command
          ->add_option("-f,--format", arguments->format,
                       "txt, srt, vtt, tsv, json, lrc or csv; with -o also several with commas "
                       "between, or all")
          ->check([](const std::string& names) -> std::string {
            try {
              (void)output_formats(names);
              return {};
            } catch (const Error& error) {
              return error.what();
            }
          })
          ->type_name("FORMAT,...")
          ->capture_default_str();
  std::vector<std::string> formats = {"all"};
  for (const OutputFormat one : output_formats("all")) formats.emplace_back(name_of(one));
  offer_values(*format, formats);
  command
      ->add_option("-o,--output", arguments->folder,
                   "Folder to write talk.FORMAT to; without it the standard output is written to, "
                   "text while it is found")
      ->type_name("DIR");
  static const OptionTable table = table_of<TranscribeArguments>(kRows);
  add_flags(
      *command, table, [arguments]() -> void* { return arguments.get(); }, arguments.get());
  add_flags(*command, arguments->audio);
  add_model_options(*command, arguments->runtime);
  add_flags(*command, arguments->flags);
  add_flags(*command, arguments->layout);
  command->footer(
      "Examples:\n"
      "  whisper-s4y transcribe whisper-base.tflite talk.mp3\n"
      "  whisper-s4y transcribe whisper-base.tflite recordings/ -f srt,json -o transcripts/ "
      "--resume\n"
      "  arecord -f S16_LE -r 16000 -d 60 -t raw | whisper-s4y transcribe whisper-base.tflite - "
      "--pcm-rate 16000\n"
      "  whisper-s4y transcribe whisper-base.tflite talk.mp3 -f vtt --word-timestamps "
      "--max-line-width 42\n"
      "  whisper-s4y transcribe whisper-base.tflite lecture.mp4 --language de --task translate");
  command->callback([arguments] { run_transcribe(*arguments); });
}

}  // namespace whisper_s4y
