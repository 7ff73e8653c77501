// whisper-s4y evaluate: error rates of a model over recordings with known texts.
#include "whisper_s4y/evaluate.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/audio_flags.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "cli/manifest.h"
#include "cli/model_options.h"
#include "cli/option_flags.h"
#include "cli/progress.h"
#include "cli/transcribe_flags.h"
#include "common/fail.h"
#include "whisper_s4y/audio.h"
#include "whisper_s4y/transcriber.h"

namespace whisper_s4y {
namespace {

struct EvaluateArguments {
  std::filesystem::path model;     // a bundle
  std::filesystem::path manifest;  // recordings and texts
  TranscribeFlags flags;           // how to decode
  ModelOptions runtime;            // how to run
  AudioOptions audio;              // which part of the recordings
  bool verbose = false;            // a line for each recording
  bool json = false;               // machine-readable
};

/// What came of some recordings.
struct Tally {
  int recordings = 0;
  double audio_seconds = 0;
  double seconds = 0;
  ErrorCounts words;
  ErrorCounts characters;

  Tally& operator+=(const Tally& other) {
    recordings += other.recordings;
    audio_seconds += other.audio_seconds;
    seconds += other.seconds;
    words += other.words;
    characters += other.characters;
    return *this;
  }
};

Tally evaluate(Transcriber& transcriber, const ManifestEntry& entry, TranscribeOptions options,
               bool multilingual, const std::vector<float>& audio, std::string& hypothesis) {
  const bool detects = options.multilingual || !options.languages.empty();
  if (multilingual && !options.language && !detects && !entry.language.empty()) {
    options.language = entry.language;
  }
  const Stopwatch watch;
  const Transcript transcript = transcriber.transcribe(audio, options);
  Tally tally{.recordings = 1,
              .audio_seconds = transcript.duration,
              .seconds = watch.seconds(),
              .words = {},
              .characters = {}};
  const std::string& language = entry.language.empty() ? transcript.language : entry.language;
  hypothesis = normalize(transcript.text, language);
  const std::string reference = normalize(entry.reference, language);
  tally.words = word_errors(reference, hypothesis);
  tally.characters = character_errors(reference, hypothesis);
  return tally;
}

nlohmann::ordered_json to_json(const Tally& tally) {
  const auto counts = [](const ErrorCounts& counts) {
    return nlohmann::ordered_json{{"rate", counts.rate()},
                                  {"substitutions", counts.substitutions},
                                  {"deletions", counts.deletions},
                                  {"insertions", counts.insertions},
                                  {"reference", counts.reference}};
  };
  return {{"recordings", tally.recordings},
          {"audio_seconds", tally.audio_seconds},
          {"seconds", tally.seconds},
          {"words", counts(tally.words)},
          {"characters", counts(tally.characters)}};
}

void print_row(const std::string& name, const Tally& tally) {
  print_out("{:<32}{:>6}{:>10.1f}{:>8}{:>8.2f}{:>8.2f}{:>9.1f}\n", name, tally.recordings,
            tally.audio_seconds, tally.words.reference, 100 * tally.words.rate(),
            100 * tally.characters.rate(), tally.audio_seconds / tally.seconds);
}

void run_evaluate(const EvaluateArguments& arguments) {
  const TranscribeOptions options = arguments.flags.finished(arguments.runtime.options.threads);
  const RuntimeOptions runtime = runtime_options(arguments.runtime);
  const std::vector<ManifestEntry> entries = read_manifest(arguments.manifest);
  const Model model(arguments.model, runtime);
  Transcriber transcriber(model);
  const bool multilingual = transcriber.is_multilingual();
  std::map<std::string, Tally> tallies;  // by set and language
  nlohmann::ordered_json recordings = nlohmann::ordered_json::array();
  Tally total;
  int skipped = 0;
  Progress progress("Evaluating", Progress::Unit::recordings, arguments.runtime.quiet);
  for (size_t i = 0; i < entries.size(); ++i) {
    const ManifestEntry& entry = entries[i];
    progress.update(i, entries.size());
    if (!multilingual && !entry.language.empty() && entry.language != "en") {
      ++skipped;
      continue;
    }
    std::string hypothesis;
    const Audio audio = read_audio(entry.file, arguments.audio);
    if (!arguments.runtime.quiet && !audio.source.warnings.empty()) {
      progress.clear();
      std::ranges::for_each(audio.source.warnings, print_warning);
    }
    const Tally tally = evaluate(transcriber, entry, options, multilingual,
                                 audio.channels.front().samples, hypothesis);
    std::string group = entry.set;
    if (!entry.language.empty()) group += (group.empty() ? "" : " ") + entry.language;
    tallies[group] += tally;
    total += tally;
    if (arguments.json) {
      nlohmann::ordered_json recording = {{"file", entry.file.string()},
                                          {"reference", entry.reference},
                                          {"hypothesis", hypothesis}};
      recording.update(to_json(tally));
      recordings.push_back(std::move(recording));
    }
    if (arguments.verbose) {
      progress.clear();
      print_err("{:5.1f} %  {}: {}\n", 100 * tally.words.rate(), entry.file.filename().string(),
                hypothesis);
    }
  }
  progress.clear();
  if (total.recordings == 0) {
    fail("{} lists no English recording, and {} knows English only.", arguments.manifest.string(),
         model.info().name);
  }
  if (arguments.json) {
    nlohmann::ordered_json json = {
        {"model", arguments.model.string()}, {"skipped", skipped}, {"total", to_json(total)}};
    json["recordings"] = std::move(recordings);
    for (const auto& [name, tally] : tallies) json["groups"][name] = to_json(tally);
    print_out("{}\n", json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
    return;
  }
  print_out("{:<32}{:>6}{:>10}{:>8}{:>8}{:>8}{:>9}\n", "", "files", "seconds", "words", "WER %",
            "CER %", "x faster");
  if (tallies.size() > 1) {
    for (const auto& [name, tally] : tallies) print_row(name.empty() ? "(no set)" : name, tally);
  }
  print_row("all", total);
  if (skipped > 0) {
    print_out("{} recordings in other languages were left out: {} knows English only.\n", skipped,
              model.info().name);
  }
}

}  // namespace

void add_evaluate_command(CLI::App& app) {
  auto arguments = std::make_shared<EvaluateArguments>();
  CLI::App* command = app.add_subcommand(
      "evaluate",
      "Measure a model's word and character error rates. Texts are normalised as openai/whisper's "
      "evaluations do.");
  command->add_option("MODEL", arguments->model, "A .tflite file that `convert` has written")
      ->required();
  command
      ->add_option("MANIFEST", arguments->manifest,
                   "A table with tabs whose first line names the columns: file, reference and, if "
                   "wanted, lang and set; files lie beside it")
      ->required();
  command->add_flag("-v,--verbose", arguments->verbose, "Show the text of each recording");
  command->add_flag("--json", arguments->json, "Print JSON");
  add_model_options(*command, arguments->runtime);
  add_flags(*command, arguments->flags);
  add_one_channel_flags(*command, arguments->audio);
  command->footer(
      "Examples:\n"
      "  whisper-s4y evaluate whisper-base.tflite recordings.tsv\n"
      "  whisper-s4y evaluate whisper-base.tflite recordings.tsv --beam-size 5 --json");
  command->callback([arguments] { run_evaluate(*arguments); });
}

}  // namespace whisper_s4y
