// Prints what is said in a recording, and when:
//
//     transcribe whisper-base.tflite talk.mp3
#include <whisper_s4y/audio.h>
#include <whisper_s4y/error.h>
#include <whisper_s4y/transcriber.h>

#include <cstdio>

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "Usage: transcribe MODEL.tflite RECORDING\n");
    return 2;
  }
  try {
    whisper_s4y::Transcriber transcriber(argv[1]);
    whisper_s4y::TranscribeOptions options;
    options.vad_filter = true;
    whisper_s4y::TranscribeCallbacks callbacks;
    callbacks.on_segment = [](const whisper_s4y::Segment& segment) {
      std::printf("%7.2f  %7.2f %s\n", segment.start, segment.end, segment.text.c_str());
      std::fflush(stdout);
    };
    const auto transcript =
        transcriber.transcribe(whisper_s4y::load_audio(argv[2]), options, callbacks);
    std::printf("Language: %s\n", transcript.language.c_str());
    return 0;
  } catch (const whisper_s4y::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
