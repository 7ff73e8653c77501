// Converts a checkpoint and transcribes with it at once; no model file is written:
//
//     convert_in_memory openai/whisper-tiny.en talk.mp3
#include <whisper_s4y/audio.h>
#include <whisper_s4y/convert.h>
#include <whisper_s4y/error.h>
#include <whisper_s4y/model.h>
#include <whisper_s4y/transcriber.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <vector>

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "Usage: convert_in_memory CHECKPOINT RECORDING\n");
    return 2;
  }
  try {
    whisper_s4y::ConvertOptions options;
    options.quantize = "int8";
    whisper_s4y::ConvertCallbacks callbacks;
    callbacks.on_progress = [](uint64_t done, uint64_t total) {
      std::fprintf(stderr, "\r%3d %%", static_cast<int>(100 * done / total));
    };
    const std::vector<std::byte> file = whisper_s4y::convert_to_memory(argv[1], options, callbacks);
    std::fputc('\n', stderr);

    const auto model = whisper_s4y::Model::from_memory(file, argv[1]);
    std::printf("%s: %.1f MB\n", model.info().name.c_str(), static_cast<double>(file.size()) / 1e6);
    whisper_s4y::Transcriber transcriber(model);
    const auto transcript = transcriber.transcribe(whisper_s4y::load_audio(argv[2]));
    std::printf("%s\n", transcript.text.c_str());
    return 0;
  } catch (const whisper_s4y::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
