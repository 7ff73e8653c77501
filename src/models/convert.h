// Checkpoint in, .tflite out.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "checkpoint/checkpoint.h"
#include "models/bundle.h"
#include "models/weights.h"
#include "tflite/metadata_names.h"
#include "tflite/reader.h"

namespace whisper_s4y {

struct ConvertOptions {
  WeightRecipe recipe;      // number formats of the weights
  int prefill_tokens = 64;  // tokens one call of `prefill` takes
  int beams = 5;            // hypotheses one call of `step_beam` advances
  Compatibility compatibility = Compatibility::litert;
  bool text_strings = true;  // transcribe gives its text as a string tensor too
  PromptDefaults defaults;   // what `serving_default` and the parts assume
  /// Called now and then with the bytes written and their total.
  std::function<void(uint64_t, uint64_t)> progress;
  /// Looks at the finished file before it gets its name. What it throws leaves nothing behind, and
  /// a former file as it was.
  std::function<void(const std::shared_ptr<const TfliteFile>&)> check;

  /// Throws Error when a value is impossible.
  void validate() const;
};

struct ConvertResult {
  uint64_t file_size = 0;
  std::string model_hash;
};

/// Writes the bundle: every signature of docs/models.md over one copy of the weights, with the
/// model's metadata inside. Throws Error when the checkpoint lacks a tensor, a weight cannot be
/// quantised, or the file cannot be written (then nothing is left behind).
ConvertResult convert(const Checkpoint& checkpoint, const std::filesystem::path& output,
                      const ConvertOptions& options = {});

/// Writes one part alone, with the one signature `serving_default`.
ConvertResult convert_part(const Checkpoint& checkpoint, Part part,
                           const std::filesystem::path& output, const ConvertOptions& options = {});

}  // namespace whisper_s4y
