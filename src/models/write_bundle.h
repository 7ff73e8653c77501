// Checkpoint in, .tflite out.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "models/bundle.h"
#include "models/weights.h"
#include "tflite/metadata_names.h"
#include "tflite/reader.h"
#include "tflite/writer.h"

namespace whisper_s4y {

struct BundleOptions {
  std::optional<Part> part;  // alone, with the one signature `serving_default`; nothing: the bundle
  WeightRecipe recipe;       // number formats of the weights
  int prefill_tokens = 64;   // tokens one call of `prefill` takes
  int beams = 5;             // hypotheses one call of `step_beam` advances
  Compatibility compatibility = Compatibility::litert;
  CacheUpdate cache_update = CacheUpdate::slice;  // in step, prefill, step_beam and align
  std::vector<std::string> signatures;  // of the bundle; empty: all that the checkpoint can have
  bool text_strings = false;            // transcribe gives its text as a string tensor too
  PromptDefaults defaults;              // what `serving_default` and the parts assume
  /// Called now and then with the bytes written and their total; before the first, while the graphs
  /// are built, with 0 of 0. What it throws ends the writing and leaves nothing behind.
  std::function<void(uint64_t, uint64_t)> progress;
  /// Looks at the finished file before it gets its name. What it throws leaves nothing behind, and
  /// a former file as it was.
  std::function<void(const std::shared_ptr<const TfliteFile>&)> check;
};

/// Writes the bundle: the signatures of docs/models.md over one copy of the weights, with the
/// model's metadata inside; or the part of `options`. Throws Error when the checkpoint lacks a
/// tensor, or alignment heads for an `align` that is asked for, a weight cannot be quantised, or
/// the file cannot be written (then nothing is left behind).
WriteResult write_bundle(const Checkpoint& checkpoint, const std::filesystem::path& output,
                         const BundleOptions& options = {});
/// The same to a file that is open already, and empty; `name` is its name in messages.
WriteResult write_bundle(const Checkpoint& checkpoint, OutputFile& file,
                         const std::filesystem::path& name, const BundleOptions& options = {});

/// The size of the file that write_bundle() would write.
[[nodiscard]] uint64_t bundle_size(const Checkpoint& checkpoint, const BundleOptions& options = {});

/// Writes one part alone.
WriteResult write_part(const Checkpoint& checkpoint, Part part, const std::filesystem::path& output,
                       BundleOptions options = {});

}  // namespace whisper_s4y
