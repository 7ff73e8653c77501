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
#include "runtime/litert_model.h"
#include "tflite/contract.h"
#include "tflite/reader.h"
#include "whisper_s4y/audio.h"
#include "whisper_s4y/convert.h"
#include "whisper_s4y/error.h"

namespace whisper_s4y {
namespace {

namespace fs = std::filesystem;

struct FeaturesArguments {
  fs::path audio;         // any file FFmpeg reads
  fs::path output;        // the .npy file
  fs::path model;         // whose front end to use; empty: one is made
  int num_mel_bins = 80;  // of the front end that is made
  AudioOptions options;   // which part of the file
  bool quiet = false;     // no summary
};

std::shared_ptr<const TfliteFile> front_end(const FeaturesArguments& arguments) {
  if (!arguments.model.empty()) return std::make_shared<TfliteFile>(arguments.model);
  return std::make_shared<TfliteFile>(make_front_end(arguments.num_mel_bins), "the front end");
}

void run_features(const FeaturesArguments& arguments) {
  Audio recording = read_audio(arguments.audio, arguments.options);
  if (!arguments.quiet) std::ranges::for_each(recording.source.warnings, print_warning);
  const std::vector<float> audio = std::move(recording.channels.front().samples);
  RuntimeOptions options;
  options.use_cache = false;  // the front end packs in no time
  LiteRtModel model(front_end(arguments), options, {"features"});
  LiteRtSignature& signature = model.signature("features");
  check_signature({signature.key(), signature.inputs(), signature.outputs()},
                  contract_of("features"), {}, model.file().path().string());
  const TensorInfo& logmel_info = signature.output("logmel");
  AlignedBuffer samples(signature.input("normalized_audio"));
  AlignedBuffer logmel(logmel_info);
  signature.bind_input("normalized_audio", samples);
  signature.bind_output("logmel", logmel);

  const std::span<float> window = samples.as<float>();
  const size_t windows = std::max<size_t>(1, (audio.size() + window.size() - 1) / window.size());
  const auto mel_bins = static_cast<int64_t>(logmel_info.shape.at(1));
  const auto frames = static_cast<int64_t>(logmel_info.shape.at(2));
  std::vector<float> all;
  all.reserve(windows * logmel.as<float>().size());
  for (size_t i = 0; i < windows; ++i) {
    const auto part = std::span(audio).subspan(
        i * window.size(), std::min(window.size(), audio.size() - i * window.size()));
    std::fill(std::copy(part.begin(), part.end(), window.begin()), window.end(), 0.0F);
    signature.run();
    const std::span<const float> numbers = logmel.as<float>();
    all.insert(all.end(), numbers.begin(), numbers.end());
  }
  write_npy(arguments.output, std::to_array({static_cast<int64_t>(windows), mel_bins, frames}),
            all);
  if (arguments.quiet) return;
  print_err("Wrote {}: float32 [{}, {}, {}] from {} of sound.\n", arguments.output.string(),
            windows, mel_bins, frames,
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
