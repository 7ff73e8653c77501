// Writes the seeds of the fuzz targets, FOLDER/TARGET/NAME: tiny checkpoints with random weights.
#include <cstdlib>
#include <iostream>
#include <random>
#include <string>

#include "checkpoint/layout.h"
#include "export/export_checkpoint.h"
#include "formats/tiny_checkpoint.h"
#include "formats/tiny_tflite.h"
#include "formats/torch_writer.h"
#include "support/files.h"

namespace whisper_s4y {
namespace {

namespace fs = std::filesystem;

void write_seed(const fs::path& folder, const std::string& name, std::string_view bytes) {
  fs::create_directories(folder);
  write_file(folder / name, bytes);
}

// Most of a small ggml file is its mel filters, in which nothing can be wrong: one column of them
// is as legal, and leaves the mutations for the rest.
std::string with_short_filters(std::string ggml) {
  constexpr size_t kBins = 13 * sizeof(int32_t);  // behind magic, eleven dimensions and the rows
  constexpr size_t kFilters = kBins + sizeof(int32_t);
  constexpr size_t kRows = 80;
  ggml.erase(kFilters, kRows * 200 * sizeof(float));
  overwrite(ggml, kBins, bytes_of(int32_t{1}));
  return ggml;
}

void write_seeds(const fs::path& folder) {
  // Scripts that change something or other, in bundles of each number format.
  std::mt19937 random(5);
  for (int i = 0; i < 100; ++i) {
    std::string script(10 + i / 4, '\0');
    for (char& byte : script) byte = static_cast<char>(random());
    script[0] = static_cast<char>(i % 4);
    write_seed(folder / "bundle", std::to_string(i), script);
  }
  for (const StorageType type : {StorageType::f32, StorageType::f16, StorageType::bf16}) {
    const Checkpoint tiny = tiny_checkpoint({.type = type});
    const std::string name(name_of(type));
    const TemporaryFolder files;
    for (const char* format : {"safetensors", "ctranslate2", "ggml"}) {
      export_checkpoint(tiny, files / format, format);
    }
    write_seed(folder / "safetensors", name, read_file(files / "safetensors/model.safetensors"));
    write_seed(folder / "ctranslate2", name, read_file(files / "ctranslate2/model.bin"));
    const std::string ggml = read_file(files / "ggml/ggml-tiny.bin");
    write_seed(folder / "ggml", name, ggml);
    write_seed(folder / "ggml", name + "-short", with_short_filters(ggml));
    write_seed(folder / "config", name, read_file(files / "safetensors/generation_config.json"));
    write_seed(folder / "tokenizer", name, read_file(files / "safetensors/tokenizer.json"));
    const TorchParts bare = TorchParts::hugging_face(tiny);
    const TorchParts openai = TorchParts::openai(tiny);
    write_seed(folder / "torch", name + "-zip", bare.zip());
    write_seed(folder / "torch", name + "-legacy", bare.legacy());
    write_seed(folder / "torch", name + "-openai", openai.zip());
    write_seed(folder / "torch", name + "-openai-legacy", openai.legacy());
    if (type == StorageType::bf16) continue;  // .tflite files hold none
    for (const char* target : {"tflite", "tflite_reader"}) {
      write_seed(folder / target, name, tiny_tflite(tiny));
    }
  }
}

// Forms as clients send them.
void write_form_seeds(const fs::path& folder) {
  const std::string disposition = "--XX\r\nContent-Disposition: form-data; name=";
  const std::string file = disposition + "\"file\"; filename=\"a.wav\"\r\n\r\nRIFF1234\r\n";
  const auto field = [&](const std::string& name, const std::string& value) {
    return disposition + '"' + name + "\"\r\n\r\n" + value + "\r\n";
  };
  const std::string end = "--XX--\r\n";
  write_seed(folder, "plain", field("model", "whisper-1") + file + end);
  write_seed(folder, "file-first",
             file + field("model", "whisper-1") + field("language", "de") + end);
  write_seed(folder, "options",
             field("model", "x") + field("beam_size", "5") + field("vad_filter", "true") +
                 field("languages[]", "de") + field("languages[]", "en") +
                 field("temperature", "0.4") + field("suppress_tokens", "-1,5") +
                 field("include[]", "logprobs") + file + end);
  write_seed(folder, "chunking",
             field("model", "x") + field("response_format", "verbose_json") +
                 field("timestamp_granularities[]", "word") +
                 field("chunking_strategy", R"({"type": "server_vad", "threshold": 0.3})") + file +
                 end);
  write_seed(folder, "brackets",
             field("model", "x") + field("chunking_strategy[type]", "server_vad") +
                 field("chunking_strategy[threshold]", "0.5") + file + end);
}

// Events as clients of both live protocols send them.
void write_event_seeds(const fs::path& folder) {
  write_seed(folder / "realtime_event", "nested",
             R"({"type":"session.update","event_id":"a","session":{"type":"transcription",)"
             R"("audio":{"input":{"format":{"type":"audio/pcm","rate":24000},)"
             R"("transcription":{"model":"whisper-1","prompt":"Names","keywords":["Ann"]},)"
             R"("noise_reduction":{"type":"near_field"},"turn_detection":{"type":"server_vad",)"
             R"("threshold":0.5,"prefix_padding_ms":300,"silence_duration_ms":500}}},)"
             R"("include":["item.input_audio_transcription.logprobs"]}})"
             "\n"
             R"({"type":"input_audio_buffer.append","audio":"AAECAwQFBgc="})");
  write_seed(folder / "realtime_event", "flat",
             R"({"type":"transcription_session.update","session":{"input_audio_format":)"
             R"("g711_ulaw","input_audio_transcription":{"model":"x","language":"de"},)"
             R"("turn_detection":null}})"
             "\n"
             R"({"type":"input_audio_buffer.append","audio":"//8AAH+A"})");
  // Masked with zeros, so that what is changed in them is changed in the message.
  const std::string mask(4, '\0');
  const std::string hello = "\x81\x85" + mask + "hello";
  const std::string in_parts =
      "\x01\x82" + mask + "he" + "\x89\x81" + mask + "p" + "\x80\x83" + mask + "llo";
  const std::string longer = "\x82\xfe" + std::string("\x01\x00", 2) + mask + std::string(256, 'x');
  write_seed(folder / "web_socket", "text", hello + hello);
  write_seed(folder / "web_socket", "parts", in_parts);
  write_seed(folder / "web_socket", "binary", longer + "\x88\x82" + mask + "\x03\xe8");
  write_seed(folder / "wyoming_event", "utterance",
             "\x07{\"type\":\"transcribe\",\"data\":{\"language\":\"de\"}}\n"
             "{\"type\":\"audio-start\",\"data_length\":39}\n"
             "{\"rate\":16000,\"width\":2,\"channels\":1  }"
             "{\"type\":\"audio-chunk\",\"data\":{\"rate\":8000,\"width\":1,\"channels\":2},"
             "\"payload_length\":4}\nabcd{\"type\":\"audio-stop\"}\n");
  write_seed(folder / "wyoming_event", "describe", "z{\"type\": \"describe\"}\n");
}

// Half a second of sound in each common form, made with the ffmpeg command.
void write_audio_seeds(const fs::path& folder) {
  fs::create_directories(folder);
  for (const char* ending :
       {"wav",  "flac", "mp3", "m4a", "ogg", "opus", "webm", "mkv", "ts",  "avi",
        "aiff", "au",   "caf", "w64", "aac", "ac3",  "wma",  "wv",  "tta", "mpg"}) {
    const std::string command =
        fmt::format("ffmpeg -nostdin -y -loglevel error -f lavfi -i sine=d=0.5:r=16000 -ac 2 '{}'",
                    (folder / fmt::format("a.{}", ending)).string());
    if (std::system(command.c_str()) != 0) {
      std::cerr << "no seed in the form " << ending << ": ffmpeg cannot make it\n";
    }
  }
}

}  // namespace
}  // namespace whisper_s4y

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "make_corpus FOLDER\n";
    return 2;
  }
  whisper_s4y::write_seeds(argv[1]);
  whisper_s4y::write_audio_seeds(whisper_s4y::fs::path(argv[1]) / "audio");
  whisper_s4y::write_form_seeds(whisper_s4y::fs::path(argv[1]) / "form");
  whisper_s4y::write_event_seeds(argv[1]);
}
