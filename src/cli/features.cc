// whisper-s4y features: the log-mel spectrogram that the encoder sees, as a NumPy file.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <filesystem>
#include <memory>

#include "cli/audio_flags.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "cli/model_options.h"
#include "cli/option_values.h"
#include "cli/progress.h"
#include "common/npy.h"
#include "tflite/contract.h"
#include "whisper_s4y/audio.h"
#include "whisper_s4y/convert.h"
#include "whisper_s4y/error.h"
#include "whisper_s4y/session.h"

namespace whisper_s4y {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kFeatures = "features";

struct FeaturesArguments {
  fs::path audio;         // any file FFmpeg reads
  fs::path output;        // the .npy file
  fs::path model;         // whose front end to use; empty: one is made
  int num_mel_bins = 80;  // of the front end that is made
  AudioOptions options;   // which part of the file
  bool quiet = false;     // no summary
};

Model front_end(const FeaturesArguments& arguments) {
  RuntimeOptions options;
  options.use_cache = false;  // the front end packs in no time
  options.on_warning = print_warning;
  if (!arguments.model.empty()) return Model(arguments.model, options);
  const std::vector<std::byte> file = make_front_end(arguments.num_mel_bins);
  return Model::from_memory(file, "the front end", options);
}

void run_features(const FeaturesArguments& arguments) {
  Audio recording = read_audio(arguments.audio, arguments.options);
  if (!arguments.quiet) std::ranges::for_each(recording.source.warnings, print_warning);
  const std::vector<float> audio = std::move(recording.channels.front().samples);
  const Model model = front_end(arguments);
  Session session(model);
  const SignatureInfo& signature = session.signature(kFeatures);
  check_signature(signature, contract_of(kFeatures), {}, arguments.model.string());
  const Shape& shape = signature.outputs.at(0).shape;  // [1, mel bins, frames]
  const Span<float> window = session.input<float>(kFeatures, "normalized_audio");
  const Span<const float> logmel = session.output<float>(kFeatures, "logmel");

  const size_t windows = std::max<size_t>(1, (audio.size() + window.size() - 1) / window.size());
  std::vector<float> all;
  all.reserve(windows * logmel.size());
  for (size_t i = 0; i < windows; ++i) {
    const auto part = std::span(audio).subspan(
        i * window.size(), std::min(window.size(), audio.size() - i * window.size()));
    std::fill(std::copy(part.begin(), part.end(), window.begin()), window.end(), 0.0F);
    session.run(kFeatures);
    all.insert(all.end(), logmel.begin(), logmel.end());
  }
  write_npy(arguments.output,
            std::to_array<int64_t>({static_cast<int64_t>(windows), shape.at(1), shape.at(2)}), all);
  if (arguments.quiet) return;
  print_err("Wrote {}: float32 [{}, {}, {}] from {} of sound.\n", arguments.output.string(),
            windows, shape.at(1), shape.at(2),
            format_duration(static_cast<double>(audio.size()) / kSampleRate));
}

}  // namespace

void add_features_command(CLI::App& app) {
  auto arguments = std::make_shared<FeaturesArguments>();
  CLI::App* command = app.add_subcommand(
      "features",
      "Write the log-mel spectrogram of a recording as a NumPy file: float32 [windows, mel bins, "
      "3000], one window for each 30 s, silence after the end; each is an encoder's "
      "input_features.");
  command->add_option("AUDIO", arguments->audio, "Any file FFmpeg reads; - is standard input")
      ->required();
  command->add_option("-o,--output", arguments->output, "The file to write")
      ->required()
      ->type_name("FILE.npy");
  auto* model = command
                    ->add_option("--model", arguments->model,
                                 "Take the front end of this .tflite file instead of making one")
                    ->type_name("MODEL");
  CLI::Option* mel_bins = command
                              ->add_option("--mel-bins", arguments->num_mel_bins,
                                           "Mel bins: 80, or 128 as large-v3 and turbo have")
                              ->type_name("N")
                              ->capture_default_str()
                              ->excludes(model);
  limit_values(*mel_bins, {"80", "128"});
  command->add_flag("-q,--quiet", arguments->quiet, "Say nothing");
  add_one_channel_flags(*command, arguments->options);
  command->footer(
      "Examples:\n"
      "  whisper-s4y features talk.wav -o talk.npy\n"
      "  python3 -c 'import numpy; print(numpy.load(\"talk.npy\").shape)'");
  command->callback([arguments] { run_features(*arguments); });
}

}  // namespace whisper_s4y
