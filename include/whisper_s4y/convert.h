// Checkpoint in, .tflite out.
//
//   whisper_s4y::ConvertOptions options;
//   options.quantize = "int8";
//   whisper_s4y::convert("openai/whisper-base", "whisper-base.tflite", options);
//
// docs/models.md describes the file, docs/quantization.md the number formats.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "whisper_s4y/export.h"

namespace whisper_s4y {

/// How a checkpoint is converted.
struct WHISPER_S4Y_API ConvertOptions {
  std::string quantize = "none";  // number format of the weights: none, fp16, int8, mixed, int4
  std::string quantize_recipe;    // JSON file with the formats instead; empty: none
  std::string target_size;        // "40MB": instead the formats that lose least in it; empty: none
  std::optional<std::string> encoder_quantize;    // none, fp16, int8, int4; nothing: as above
  std::optional<std::string> decoder_quantize;    // the same for the decoder
  std::optional<std::string> embedding_quantize;  // and for the token embedding, the output matrix
  std::string part = "bundle";                    // all; or a part alone: see part_names()
  std::optional<std::string> target;  // of the bundle: web, android, python; nothing: any host
  std::vector<std::string>
      signatures;                      // of the bundle, see docs/models.md; empty: all, or as above
  std::string compat = "litert";       // the oldest interpreter that must run the file; or 2.14
  std::string cache_update = "slice";  // how the caches are updated: in place; or blend, for GPUs
  std::optional<bool> text_strings;    // transcribe gives a string tensor too; nothing: as above
  std::optional<std::string> language;  // of the prompt inside: code or name; nothing: detected
  std::string task = "transcribe";      // of the prompt inside; or translate, into English
  bool timestamps = false;              // in what the prompt inside asks for
  int max_length = 448;                 // tokens of the prompt inside and its answer
  int prefill_tokens = 64;              // tokens that one call of `prefill` takes
  int beams = 5;                        // hypotheses that one call of `step_beam` advances
  bool verify = true;                   // run what takes no time before the file gets its name

  /// Throws Error when a value is impossible, or excludes another, for any checkpoint.
  void validate() const;
};

/// What the caller may hear of while a checkpoint is converted; each may be empty. What one throws
/// ends the call and leaves nothing behind.
struct ConvertCallbacks {
  std::function<void(uint64_t done, uint64_t total)> on_progress;  // bytes written
  /// Of a checkpoint on the hub, which is downloaded first: bytes of a file so far and in all, 0
  /// when unknown.
  std::function<void(const std::string& file, uint64_t done, uint64_t total)> on_download;
  std::function<bool()> cancelled;  // true: stop; Error with ErrorCode::cancelled is thrown
  std::function<void(const std::string& message)> on_warning;  // a sentence
  std::function<void(const std::string& notice)> on_notice;    // of the hub, no sentence
};

/// What was written.
struct ConvertResult {
  std::string name;               // of the model, "base"
  std::string checkpoint_format;  // "safetensors", "ggml", ...
  std::string encoder;            // number format of the weights: fp32, fp16, int8 or int4
  std::string decoder;            //
  std::string embedding;          //
  bool has_exceptions = false;    // single matrices have another format
  std::string model_hash;         // of the file's content, 32 hex digits, as in its metadata
  uint64_t file_size = 0;         // bytes
};

/// Converts a checkpoint into a file. `checkpoint` is a file or folder in any format (see
/// docs/checkpoints.md), or the name of a model on the hub, which is downloaded once into the
/// cache. The file appears when it is complete; a former one stays until then. Throws Error when
/// the checkpoint cannot be had or read, an option does not fit it, the file cannot be written or
/// does not run.
WHISPER_S4Y_API ConvertResult convert(const std::string& checkpoint,
                                      const std::filesystem::path& output,
                                      const ConvertOptions& options = {},
                                      const ConvertCallbacks& callbacks = {});

/// The same into memory: what the file would hold.
WHISPER_S4Y_API std::vector<std::byte> convert_to_memory(const std::string& checkpoint,
                                                         const ConvertOptions& options = {},
                                                         const ConvertCallbacks& callbacks = {});

/// A front end alone, made without a checkpoint: a .tflite file whose one signature takes
/// normalized_audio float32 [1, 480000], 30 s of sound, and gives logmel float32 [1, num_mel_bins,
/// 3000]. num_mel_bins is 80, or 128 as large-v3 and turbo have; Error for others. The signature
/// is named `features` as in bundles, or as is said.
[[nodiscard]] WHISPER_S4Y_API std::vector<std::byte> make_front_end(
    int num_mel_bins = 80, const std::string& signature = "features");

/// What ConvertOptions::part can be: "bundle", "features-extractor", "encoder", "decoder",
/// "encoder-decoder", "pcm-encoder", "generator".
[[nodiscard]] WHISPER_S4Y_API std::vector<std::string> part_names();

/// What ConvertOptions::quantize can be.
[[nodiscard]] WHISPER_S4Y_API std::vector<std::string> quantization_names();

}  // namespace whisper_s4y
