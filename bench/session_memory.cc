// What each further transcriber of one model costs in memory: makes them one after the other, lets
// each transcribe the recording, and prints what the process uses then.
//
//   session_memory MODEL.tflite RECORDING TRANSCRIBERS [THREADS]
#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "common/fail.h"
#include "whisper_s4y/audio.h"
#include "whisper_s4y/transcriber.h"

namespace whisper_s4y {
namespace {

/// A figure of /proc/self/smaps_rollup in MB.
double megabytes(const std::string& name) {
  std::ifstream rollup("/proc/self/smaps_rollup");
  for (std::string word; rollup >> word;) {
    double kilobytes = 0;
    if (word == name + ":" && rollup >> kilobytes) return kilobytes / 1024;
  }
  fail("/proc/self/smaps_rollup does not tell {}.", name);
}

void run(const std::string& path, const std::string& recording, int count, int threads) {
  const std::vector<float> audio = load_audio(recording);
  const Model model(path);
  SessionOptions session;
  session.threads = threads;
  TranscribeOptions options;
  options.language = "en";
  options.temperatures = {0.0F};
  std::vector<Transcriber> transcribers;
  fmt::print("{:>12} {:>8} {:>8} {:>14}\n", "transcribers", "RSS MB", "PSS MB", "anonymous MB");
  for (int i = 0; i <= count; ++i) {
    if (i > 0) {
      transcribers.emplace_back(model, session);
      (void)transcribers.back().transcribe(audio, options);
    }
    fmt::print("{:>12} {:>8.1f} {:>8.1f} {:>14.1f}\n", i, megabytes("Rss"), megabytes("Pss"),
               megabytes("Anonymous"));
  }
}

}  // namespace
}  // namespace whisper_s4y

int main(int argc, char** argv) {
  try {
    if (argc != 4 && argc != 5) {
      whisper_s4y::fail("usage: session_memory MODEL.tflite RECORDING TRANSCRIBERS [THREADS]");
    }
    whisper_s4y::run(argv[1], argv[2], std::atoi(argv[3]), argc == 5 ? std::atoi(argv[4]) : 0);
  } catch (const whisper_s4y::Error& error) {
    fmt::print(stderr, "session_memory: {}\n", error.what());
    return EXIT_FAILURE;
  }
}
