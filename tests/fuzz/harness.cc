#include "fuzz/harness.h"

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <numeric>
#include <vector>

#include "audio/ffmpeg_process.h"
#include "config/front_end.h"
#include "export/export_checkpoint.h"
#include "formats/open_checkpoint.h"
#include "formats/tiny_checkpoint.h"
#include "fuzz/changed_bundle.h"
#include "runtime/whisper_model.h"
#include "support/files.h"
#include "tflite/model_metadata.h"
#include "tflite/schema_generated.h"
#include "whisper_s4y/audio.h"
#include "whisper_s4y/error.h"

namespace whisper_s4y {
namespace {

// In memory where there is such a place: inputs come by the thousand.
void prefer_memory() {
  if (std::filesystem::is_directory("/dev/shm")) ::setenv("TMPDIR", "/dev/shm", 0);
}

// The files of a small model, made once.
struct Model {
  explicit Model(std::string_view format) {
    export_checkpoint(tiny_checkpoint(), folder.path(), format);
  }
  TemporaryFolder folder;
};

const std::filesystem::path& model_folder() {
  prefer_memory();
  static const Model model("safetensors");
  return model.folder.path();
}

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void expect_error_or_success(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    const std::string_view message = error.what();
    if (message.size() > 10 && message.ends_with('.')) return;
    std::fprintf(stderr, "not a sentence: %s\n", error.what());
    std::abort();
  }
}

// The whole of each tensor, so that no view reaches past its file.
void read_all(const std::filesystem::path& path) {
  const auto checkpoint = open_checkpoint(path);
  std::vector<float> numbers;
  for (const auto& [name, tensor] : checkpoint->tensors) {
    numbers.resize(static_cast<size_t>(tensor.elements()));
    tensor.read_rows(0, tensor.rows(), numbers);
  }
}

template <typename T, typename Visit>
void for_each(const flatbuffers::Vector<T>* vector, Visit&& visit) {
  if (vector == nullptr) return;
  for (const auto& element : *vector) visit(element);
}

}  // namespace

void open_as_checkpoint(std::span<const std::byte> bytes) {
  const std::filesystem::path path = model_folder() / "input";
  write_file(path, text_of(bytes));
  expect_error_or_success([&] { read_all(path); });
}

void open_beside(std::string_view side_file, std::span<const std::byte> bytes) {
  const std::filesystem::path path = model_folder() / side_file;
  write_file(path, text_of(bytes));
  expect_error_or_success([&] { read_all(model_folder()); });
}

void open_as_tflite(std::span<const std::byte> bytes) {
  const std::filesystem::path path = model_folder() / "input";
  write_file(path, text_of(bytes));
  expect_error_or_success([&] {
    const TfliteFile file(path);
    unsigned sum = 0;
    for_each(file.model().subgraphs(), [&](const tflite::SubGraph* graph) {
      for_each(graph->tensors(), [&](const tflite::Tensor* tensor) {
        for (const std::byte byte : file.buffer(tensor->buffer())) {
          sum += std::to_integer<unsigned>(byte);
        }
      });
    });
    volatile unsigned kept = sum;
    static_cast<void>(kept);
    static_cast<void>(model_hash(file));
    static_cast<void>(read_model_info(file));
  });
}

void run_changed_bundle(std::span<const std::byte> bytes) {
  const std::filesystem::path path = model_folder() / "bundle.tflite";
  write_file(path, changed_bundle(bytes));
  expect_error_or_success([&] {
    WhisperModel model(path, {.threads = 1, .use_cache = false});
    const ModelInfo& info = model.info();
    std::vector<float> logmel(static_cast<size_t>(info.config.num_mel_bins) * kWindowFrames);
    model.features(std::vector<float>(kWindowSamples, 0.25F), logmel);
    model.encode(logmel);
    const int start = info.generation.decoder_start_token_id;
    const std::vector<int> row(12, start);  // more than are fed one by one
    static_cast<void>(model.decode(row, 0));
    static_cast<void>(model.decode({&start, 1}, 12));
    if (model.max_beams() > 0) {
      model.start_beams(12);
      const std::vector<int> tokens(static_cast<size_t>(model.max_beams()), start);
      std::vector<int> parents(tokens.size(), 0);
      static_cast<void>(model.decode_beams(tokens, parents, 12));
      std::iota(parents.rbegin(), parents.rend(), 0);
      static_cast<void>(model.decode_beams(tokens, parents, 13));
    }
    if (model.can_align()) static_cast<void>(model.align(row));
  });
}

void decode_as_audio(std::span<const std::byte> bytes) {
  struct Enough {};
  silence_ffmpeg();
  limit_ffmpeg_memory();
  int64_t left = int64_t{600} * kSampleRate;
  const AudioSink sink = [&](std::span<const float> samples) {
    for (const float sample : samples) {
      if (!(sample >= -1.0F && sample <= 1.0F)) std::abort();
    }
    left -= static_cast<int64_t>(samples.size());
    if (left < 0) throw Enough();
  };
  expect_error_or_success([&] {
    try {
      static_cast<void>(decode_audio(bytes, "input", {}, sink));
    } catch (const Enough&) {
      // The rest of a very long recording is like its beginning.
    }
  });
}

void run_fuzz_target(std::string_view target, std::span<const std::byte> bytes) {
  if (target == "tflite_reader") return open_as_tflite(bytes);
  if (target == "bundle") return run_changed_bundle(bytes);
  if (target == "audio") return decode_as_audio(bytes);
#ifdef WHISPER_S4Y_SERVER
  if (target == "form") return read_as_form(bytes);
  if (target == "realtime_event") return take_realtime_events(bytes);
  if (target == "web_socket") return take_web_socket_frames(bytes);
  if (target == "wyoming_event") return take_wyoming_events(bytes);
#endif
  if (target == "config") return open_beside("generation_config.json", bytes);
  if (target == "tokenizer") return open_beside("tokenizer.json", bytes);
  open_as_checkpoint(bytes);
}

}  // namespace whisper_s4y
