// Transcribes a recording or a pipe while it is read, for as long as you have patience:
//
//     stream whisper-base.tflite talk.mp3
//     curl -s https://... | stream whisper-base.tflite - 60
//
// Ctrl-C, or the number of seconds, ends it; what was understood until then is kept.
#include <whisper_s4y/audio.h>
#include <whisper_s4y/error.h>
#include <whisper_s4y/output.h>
#include <whisper_s4y/transcriber.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>

namespace {

volatile std::sig_atomic_t interrupted = 0;

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3 && argc != 4) {
    std::fprintf(stderr, "Usage: stream MODEL.tflite RECORDING|- [SECONDS]\n");
    return 2;
  }
  using Clock = std::chrono::steady_clock;
  Clock::time_point end = Clock::time_point::max();
  if (argc == 4) end = Clock::now() + std::chrono::seconds(std::atoi(argv[3]));
  std::signal(SIGINT, [](int) { interrupted = 1; });
  try {
    whisper_s4y::Transcriber transcriber(argv[1]);
    whisper_s4y::AudioReader reader(argv[2]);
    whisper_s4y::TranscribeCallbacks callbacks;
    callbacks.cancelled = [end] { return interrupted != 0 || Clock::now() >= end; };
    callbacks.on_progress = [](double done, double total) {
      std::fprintf(stderr, "\r%.0f of %.0f s", done, total);
    };
    const whisper_s4y::Transcript transcript = transcriber.transcribe(reader, {}, callbacks);
    std::fputc('\n', stderr);
    const std::string subtitles = format_transcript(transcript, whisper_s4y::OutputFormat::srt, {});
    std::fputs(subtitles.c_str(), stdout);
    return 0;
  } catch (const whisper_s4y::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
