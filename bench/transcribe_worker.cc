// Our side of bench/compare.py: keeps a model loaded and transcribes a recording each time a line
// "run" comes in, or another one whose path comes in. Answers with one line of JSON: times, memory
// and text.
//
//   transcribe_worker MODEL.tflite RECORDING THREADS BEAM_SIZE [BATCH_SIZE [AUDIO_CONTEXT]]
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "common/fail.h"
#include "runtime/whisper_model.h"
#include "transcribe/transcriber_over.h"
#include "whisper_s4y/audio.h"
#include "whisper_s4y/transcriber.h"

namespace whisper_s4y {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Highest resident memory of this process, in kB.
long peak_memory() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    long kilobytes = 0;
    if (word == "VmHWM:" && status >> kilobytes) return kilobytes;
  }
  fail("/proc/self/status does not tell the memory used.");
}

/// Times what passes through it.
class TimedModel : public DecoderModel {
 public:
  struct Times {
    double features = 0;  // seconds
    double encode = 0;
    double decode = 0;
    int windows = 0;
    int calls = 0;  // of the decoder
  };

  explicit TimedModel(DecoderModel& model) : model_(model) {}

  [[nodiscard]] const ModelInfo& info() const override { return model_.info(); }
  void features(std::span<const float> normalized_audio, std::span<float> logmel) override {
    const auto start = Clock::now();
    model_.features(normalized_audio, logmel);
    times.features += seconds_since(start);
  }
  void encode(std::span<const float> input_features) override {
    const auto start = Clock::now();
    model_.encode(input_features);
    times.encode += seconds_since(start);
    ++times.windows;
  }
  [[nodiscard]] bool can_sample() const override { return model_.can_sample(); }
  void encode_sampled(std::span<const float> input_features,
                      const WindowPositions& positions) override {
    const auto start = Clock::now();
    model_.encode_sampled(input_features, positions);
    times.encode += seconds_since(start);
    ++times.windows;
  }
  void set_cancellation(Cancellation* cancellation) override {
    model_.set_cancellation(cancellation);
  }
  std::span<const float> decode(std::span<const int> tokens, int position) override {
    const auto start = Clock::now();
    const auto logits = model_.decode(tokens, position);
    times.decode += seconds_since(start);
    ++times.calls;
    return logits;
  }
  [[nodiscard]] int max_beams() const override { return model_.max_beams(); }
  void start_beams(int position) override {
    const auto start = Clock::now();
    model_.start_beams(position);
    times.decode += seconds_since(start);
  }
  std::span<const float> decode_beams(std::span<const int> tokens, std::span<const int> parents,
                                      int position) override {
    const auto start = Clock::now();
    const auto logits = model_.decode_beams(tokens, parents, position);
    times.decode += seconds_since(start);
    ++times.calls;
    return logits;
  }

  Times times;

 private:
  DecoderModel& model_;
};

void run(const std::string& path, const std::string& recording, int threads, int beam_size,
         int batch_size, const std::string& audio_context) {
  WhisperModel model(path, RuntimeOptions{.threads = threads});
  TimedModel timed(model);
  // Windows of a batch are computed at the same time: their parts cannot be told apart.
  Transcriber transcriber =
      transcriber_over(batch_size > 0 ? static_cast<DecoderModel&>(model) : timed);
  std::vector<float> audio = load_audio(recording);
  TranscribeOptions options;
  options.language = "en";
  options.temperatures = {0.0F};
  if (beam_size > 1) options.beam_size = beam_size;
  options.batch_size = batch_size;
  if (!audio_context.empty()) options.audio_context = audio_context;
  for (std::string line; std::getline(std::cin, line);) {
    if (line != "run") audio = load_audio(line);
    timed.times = {};
    const std::clock_t cpu_start = std::clock();  // counts all threads
    const auto start = Clock::now();
    const Transcript transcript = transcriber.transcribe(audio, options);
    const double seconds = seconds_since(start);
    const double cpu = static_cast<double>(std::clock() - cpu_start) / CLOCKS_PER_SEC;
    size_t tokens = 0;
    for (const Segment& segment : transcript.segments) tokens += segment.tokens.size();
    const TimedModel::Times& times = timed.times;
    // The time of a token counts choosing it too.
    const nlohmann::json answer = {{"seconds", seconds},
                                   {"cpu", cpu},
                                   {"features", times.features},
                                   {"encode", times.encode},
                                   {"decode", seconds - times.features - times.encode},
                                   {"decode_model", times.decode},
                                   {"windows", times.windows},
                                   {"tokens", tokens},
                                   {"calls", times.calls},
                                   {"peak_kb", peak_memory()},
                                   {"text", transcript.text}};
    std::cout << answer.dump() << std::endl;
  }
}

}  // namespace
}  // namespace whisper_s4y

int main(int argc, char** argv) {
  try {
    if (argc < 5 || argc > 7) {
      whisper_s4y::fail(
          "usage: transcribe_worker MODEL.tflite RECORDING THREADS BEAM_SIZE [BATCH_SIZE "
          "[AUDIO_CONTEXT]]");
    }
    whisper_s4y::run(argv[1], argv[2], std::atoi(argv[3]), std::atoi(argv[4]),
                     argc > 5 ? std::atoi(argv[5]) : 0, argc > 6 ? argv[6] : "");
  } catch (const whisper_s4y::Error& error) {
    fmt::print(stderr, "transcribe_worker: {}\n", error.what());
    return EXIT_FAILURE;
  }
}
