// Transcribes sound while it comes, from a file or a pipe, and stops at Ctrl-C:
//
//     live whisper-base.tflite talk.mp3
//     arecord -f S16_LE -r 16000 -t wav | live whisper-base.tflite -
#include <whisper_s4y/audio.h>
#include <whisper_s4y/error.h>
#include <whisper_s4y/live.h>

#include <csignal>
#include <cstdio>
#include <vector>

namespace {

volatile std::sig_atomic_t interrupted = 0;

void show(const whisper_s4y::LiveText& text) {
  // What is tentative may change until the utterance is over.
  if (!text.is_final) {
    std::fprintf(stderr, "\r%s%s", text.confirmed.c_str(), text.tentative.c_str());
    return;
  }
  if (text.confirmed.empty()) return;
  std::fputc('\r', stderr);
  std::printf("%7.2f  %7.2f %s\n", text.start, text.end, text.confirmed.c_str());
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "Usage: live MODEL.tflite RECORDING|-\n");
    return 2;
  }
  std::signal(SIGINT, [](int) { interrupted = 1; });
  try {
    whisper_s4y::Transcriber transcriber(argv[1]);
    const auto detector = whisper_s4y::make_speech_detector();
    whisper_s4y::LiveTranscriber live(transcriber, *detector, {}, show);
    whisper_s4y::AudioReader reader(argv[2]);
    std::vector<float> samples(whisper_s4y::kSampleRate / 10);  // 100 ms
    while (interrupted == 0) {
      const size_t count = reader.read(samples);
      if (count == 0) break;
      live.push({samples.data(), count});
    }
    live.finish();  // the last words
    return 0;
  } catch (const whisper_s4y::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
