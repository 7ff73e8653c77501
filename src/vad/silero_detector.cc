#include "vad/silero_detector.h"

#include <algorithm>

#include "common/fail.h"
#include "formats/safetensors.h"
#include "tflite/memory_model.h"
#include "tflite/writer.h"
#include "vad/silero_model.h"

namespace whisper_s4y {
namespace {

constexpr const char* kOne = "chunk";
constexpr const char* kMany = "chunks";
constexpr int kManyChunks = 32;  // 1 s: larger is no faster and loads more slowly

constexpr const char* kBuiltIn = "the built-in Silero VAD";

void add_signatures(Module& module, const std::vector<TensorView>& tensors,
                    const std::string& source) {
  add_silero_vad(module, kOne, 1, tensors, source);
  add_silero_vad(module, kMany, kManyChunks, tensors, source);
}

std::shared_ptr<const TfliteFile> build(const std::vector<TensorView>& tensors,
                                        const std::string& source) {
  Module module;
  add_signatures(module, tensors, source);
  return tflite_in_memory(module, source);
}

/// The model of these weights. That of the built-in ones is built once and serves every detector.
std::shared_ptr<const TfliteFile> model_of(const std::filesystem::path& weights) {
  if (!weights.empty()) return build(read_safetensors(weights), weights.string());
  static const auto built_in = build(built_in_silero_weights(), kBuiltIn);
  return built_in;
}

// One thread: the steps of the LSTM are too small to share. No cache folder: packing the weights
// takes no longer than checking a cache file.
RuntimeOptions runtime_options() { return {.threads = 1, .use_cache = false}; }

}  // namespace

void write_silero_vad(const std::filesystem::path& output) {
  const auto tensors = built_in_silero_weights();
  Module module;
  add_signatures(module, tensors, kBuiltIn);
  write_tflite(module, output);
}

SileroDetector::Part::Part(LiteRtModel& model, const char* key, AlignedBuffer& h, AlignedBuffer& c)
    : signature(model.signature(key)),
      chunks(static_cast<size_t>(signature.input("samples").shape.at(0))),
      samples(signature.input("samples")),
      speech_probs(signature.output("speech_probs")) {
  signature.bind_input("samples", samples);
  signature.bind_input("h", h);
  signature.bind_input("c", c);
  signature.bind_output("speech_probs", speech_probs);
  signature.bind_output("hn", h);
  signature.bind_output("cn", c);
}

SileroDetector::SileroDetector(const std::filesystem::path& weights)
    : model_(model_of(weights), runtime_options()),
      h_(model_.signature(kOne).input("h")),
      c_(model_.signature(kOne).input("c")),
      one_(model_, kOne, h_, c_),
      many_(model_, kMany, h_, c_),
      context_(kVadContext, 0.0F) {}

void SileroDetector::reset() {
  std::ranges::fill(h_.as<float>(), 0.0F);
  std::ranges::fill(c_.as<float>(), 0.0F);
  std::ranges::fill(context_, 0.0F);
}

void SileroDetector::hear(Span<const float> chunks, Span<float> speech_probs) {
  if (chunks.size() != speech_probs.size() * kVadChunk) {
    fail(ErrorCode::invalid_argument, "{} samples are not {} chunks of {}.", chunks.size(),
         speech_probs.size(), kVadChunk);
  }
  for (size_t done = 0; done < speech_probs.size();) {
    Part& part = speech_probs.size() - done >= many_.chunks ? many_ : one_;
    hear(part, chunks.data() + done * kVadChunk, speech_probs.data() + done);
    done += part.chunks;
  }
}

void SileroDetector::hear(Part& part, const float* chunks, float* speech_probs) {
  float* row = part.samples.as<float>().data();
  for (size_t i = 0; i < part.chunks; ++i, chunks += kVadChunk) {
    row = std::ranges::copy(context_, row).out;
    row = std::copy_n(chunks, kVadChunk, row);
    std::copy_n(chunks + kVadChunk - kVadContext, kVadContext, context_.begin());
  }
  part.signature.run();
  std::ranges::copy(part.speech_probs.as<float>(), speech_probs);
}

}  // namespace whisper_s4y
