// Silero VAD on LiteRT.
#pragma once

#include <filesystem>

#include "runtime/litert_model.h"
#include "whisper_s4y/vad.h"

namespace whisper_s4y {

/// Writes the built-in model to a file, with the signatures that docs/vad.md describes: for hosts
/// of their own, such as the npm package. Throws Error when it cannot be written.
void write_silero_vad(const std::filesystem::path& output);

class SileroDetector : public SpeechDetector {
 public:
  /// Builds the graph in memory and loads it. `weights` is a .safetensors file with the names of
  /// Silero's own; empty: the weights that are part of the program. Throws Error when the file is
  /// no such model or LiteRT cannot run.
  explicit SileroDetector(const std::filesystem::path& weights = {});

  void reset() override;
  void hear(Span<const float> chunks, Span<float> speech_probs) override;

 private:
  /// A signature and its own memory; the state is shared.
  struct Part {
    Part(LiteRtModel& model, const char* key, AlignedBuffer& h, AlignedBuffer& c);
    LiteRtSignature& signature;
    size_t chunks;  // it hears at once
    AlignedBuffer samples;
    AlignedBuffer speech_probs;
  };
  void hear(Part& part, const float* chunks, float* speech_probs);

  LiteRtModel model_;
  AlignedBuffer h_;
  AlignedBuffer c_;
  Part one_;
  Part many_;
  std::vector<float> context_;  // the last samples heard
};

}  // namespace whisper_s4y
