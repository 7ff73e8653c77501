// whisper-s4y transcribe: speech to text.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/model_options.h"
#include "cli/progress.h"
#include "cli/transcribe_options.h"
#include "runtime/whisper_model.h"
#include "whisper_s4y/audio.h"
#include "whisper_s4y/error.h"
#include "whisper_s4y/output.h"
#include "whisper_s4y/transcriber.h"

namespace whisper_s4y {
namespace {

namespace fs = std::filesystem;

struct TranscribeArguments {
  fs::path model;               // a bundle
  std::vector<fs::path> audio;  // any files FFmpeg reads
  std::string format = "txt";   // as output_formats() takes it
  fs::path folder;              // for files; empty: standard output
  OutputOptions layout;         // of subtitles
  TranscribeFlags flags;        // how to decode
  ModelOptions runtime;         // how to run

  [[nodiscard]] bool to_stdout() const { return folder.empty(); }
};

void check_stdout() {
  if (std::ferror(stdout) != 0) fail("Cannot write to the standard output.");
}

/// What the options mean together; wrong usage otherwise.
void check_outputs(const TranscribeArguments& arguments) {
  const std::vector<OutputFormat> formats = output_formats(arguments.format);
  if (arguments.to_stdout()) {
    if (formats.size() > 1) {
      throw CLI::ValidationError("--format", "several formats need a folder, -o DIR");
    }
    const bool one_after_the_other =
        formats[0] == OutputFormat::txt || formats[0] == OutputFormat::json;
    if (arguments.audio.size() > 1 && !one_after_the_other) {
      throw CLI::ValidationError(
          "--format",
          fmt::format("several recordings as {} need a folder, -o DIR", name_of(formats[0])));
    }
    return;
  }
  std::map<fs::path, fs::path> recording_of;
  for (const fs::path& recording : arguments.audio) {
    const fs::path output = output_path(arguments.folder, recording, formats[0]);
    const auto [other, is_new] = recording_of.emplace(output, recording);
    if (!is_new) {
      throw CLI::ValidationError(
          "--output", fmt::format("{} and {} would both be written to {}", other->second.string(),
                                  recording.string(), output.string()));
    }
  }
}

void write_outputs(const Transcript& transcript, const fs::path& recording,
                   const TranscribeArguments& arguments) {
  for (const OutputFormat format : output_formats(arguments.format)) {
    if (!arguments.to_stdout()) {
      write_transcript(transcript, format, arguments.layout,
                       output_path(arguments.folder, recording, format));
    } else if (format != OutputFormat::txt) {  // which was printed while it was found
      fmt::print("{}", format_transcript(transcript, format, arguments.layout));
      if (format == OutputFormat::json) fmt::print("\n");
      std::fflush(stdout);
      check_stdout();
    }
  }
}

void transcribe_file(Transcriber& transcriber, const fs::path& path,
                     const TranscribeArguments& arguments, const TranscribeOptions& options) {
  const Stopwatch watch;
  const std::vector<float> audio = load_audio(path);
  const std::string name = path == "-" ? "standard input" : path.string();
  const bool prints_segments = arguments.to_stdout() && arguments.format == "txt";
  // Lines that come on the terminal are progress enough.
  Progress progress(name, Progress::Unit::seconds,
                    arguments.runtime.quiet || (prints_segments && ::isatty(STDOUT_FILENO) == 1));
  TranscribeCallbacks callbacks;
  callbacks.on_progress = [&](double done, double total) {
    progress.update(static_cast<uint64_t>(done), static_cast<uint64_t>(total));
  };
  if (prints_segments) {
    callbacks.on_segment = [&](const Segment& segment) {
      progress.clear();
      Transcript one;
      one.segments = {segment};
      fmt::print("{}", format_transcript(one, OutputFormat::txt));
      std::fflush(stdout);
      check_stdout();
    };
  }
  const Transcript transcript = transcriber.transcribe(audio, options, callbacks);
  progress.clear();
  write_outputs(transcript, path, arguments);
  if (arguments.runtime.quiet) return;
  const double seconds = watch.seconds();
  fmt::print(stderr, "{}: {} of sound, language {}, in {} ({:.1f} times real time).\n", name,
             format_duration(transcript.duration), transcript.language, format_duration(seconds),
             transcript.duration / seconds);
}

void run_transcribe(const TranscribeArguments& arguments) {
  check_outputs(arguments);
  const TranscribeOptions options = arguments.flags.finished();
  validate(arguments.layout, options.word_timestamps);
  if (!arguments.to_stdout()) {
    std::error_code error;
    fs::create_directories(arguments.folder, error);
    if (error) {
      fail("Cannot create the folder {}: {}.", arguments.folder.string(), error.message());
    }
  }
  WhisperModel model(arguments.model, runtime_options(arguments.runtime));
  Transcriber transcriber(model);
  bool failed = false;
  for (const fs::path& path : arguments.audio) {
    try {
      transcribe_file(transcriber, path, arguments, options);
    } catch (const Error& error) {
      // One bad file does not keep the others from being done; a bad output does.
      check_stdout();
      fmt::print(stderr, "whisper-s4y: {}\n", error.what());
      failed = true;
    }
  }
  if (failed) throw AlreadyReported();
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
      ->add_option("AUDIO", arguments->audio,
                   "Recordings of any length in any format FFmpeg reads; - is standard input")
      ->required();
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
      ->type_name("FORMAT")
      ->capture_default_str();
  command
      ->add_option("-o,--output", arguments->folder,
                   "Folder to write talk.FORMAT to; without it the standard output is written to, "
                   "text while it is found")
      ->type_name("DIR");
  add_model_options(*command, arguments->runtime);
  add_transcribe_options(*command, arguments->flags);
  add_layout_options(*command, arguments->layout);
  command->footer(
      "Examples:\n"
      "  whisper-s4y transcribe whisper-base.tflite talk.mp3\n"
      "  whisper-s4y transcribe whisper-base.tflite *.mp3 -f srt,json -o transcripts/\n"
      "  whisper-s4y transcribe whisper-base.tflite talk.mp3 -f vtt --word-timestamps "
      "--max-line-width 42\n"
      "  whisper-s4y transcribe whisper-base.tflite lecture.mp4 --language de --task translate");
  command->callback([arguments] { run_transcribe(*arguments); });
}

}  // namespace whisper_s4y
