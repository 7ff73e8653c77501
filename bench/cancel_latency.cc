// How soon a transcription ends once the caller has had enough: it is stopped after 20 ms, 57 ms,
// ... until it comes to its end, and the longest waits are printed.
//
//   cancel_latency MODEL.tflite RECORDING THREADS [NAME=VALUE ...]
//
// NAME=VALUE are options of transcription, as word_timestamps=true or batch_size=4.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <string>
#include <vector>

#include "common/fail.h"
#include "options/option_table.h"
#include "transcribe/transcribe_options.h"
#include "whisper_s4y/audio.h"
#include "whisper_s4y/transcriber.h"

namespace whisper_s4y {
namespace {

using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::duration<double, std::milli>;

struct Stop {
  double after = 0;  // ms from the beginning
  double wait = 0;   // ms from then to the end
};

void run(const std::string& path, const std::string& recording, int threads,
         const std::vector<std::string>& given) {
  const std::vector<float> audio = load_audio(recording);
  TranscribeOptions options;
  for (const std::string& one : given) {
    const size_t equals = one.find('=');
    if (equals == std::string::npos) fail("{} is not NAME=VALUE.", one);
    set_option(options, one.substr(0, equals), one.substr(equals + 1));
  }
  RuntimeOptions runtime;
  runtime.threads = threads;
  Transcriber transcriber(Model(path, runtime));
  (void)transcriber.transcribe(audio, options);
  std::vector<Stop> stops;
  for (int after = 20;; after += 37) {
    const auto begin = Clock::now();
    const auto end = begin + std::chrono::milliseconds(after);
    TranscribeCallbacks callbacks;
    callbacks.cancelled = [&] { return Clock::now() >= end; };
    const Transcript transcript = transcriber.transcribe(audio, options, callbacks);
    if (!transcript.is_cut) break;
    stops.push_back({static_cast<double>(after), Milliseconds(Clock::now() - end).count()});
  }
  if (stops.empty()) fail("{} is over before it can be stopped.", recording);
  std::ranges::sort(stops, std::ranges::greater(), &Stop::wait);
  fmt::print("{} stops, median {:.1f} ms, longest", stops.size(), stops[stops.size() / 2].wait);
  for (size_t i = 0; i < std::min<size_t>(5, stops.size()); ++i) {
    fmt::print(" {:.1f} (after {:.0f})", stops[i].wait, stops[i].after);
  }
  fmt::print("\n");
}

}  // namespace
}  // namespace whisper_s4y

int main(int argc, char** argv) {
  try {
    if (argc < 4) {
      whisper_s4y::fail("usage: cancel_latency MODEL.tflite RECORDING THREADS [NAME=VALUE ...]");
    }
    whisper_s4y::run(argv[1], argv[2], std::atoi(argv[3]), {argv + 4, argv + argc});
  } catch (const whisper_s4y::Error& error) {
    fmt::print(stderr, "cancel_latency: {}\n", error.what());
    return EXIT_FAILURE;
  }
}
