// Checkpoints: what they hold, other programs' formats, the hub.
//
//   whisper_s4y::pull("openai/whisper-base", "whisper-base");
//   whisper_s4y::export_checkpoint("whisper-base", "ggml", "ggml");
//   std::cout << whisper_s4y::describe_file("ggml/ggml-whisper-base.bin") << '\n';
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "whisper_s4y/export.h"

namespace whisper_s4y {

/// Where checkpoints come from. What is empty is taken from the environment.
struct WHISPER_S4Y_API PullOptions {
  std::string endpoint;           // of the hub; empty: HF_ENDPOINT, or https://huggingface.co
  std::string token;              // for private models; empty: HF_TOKEN
  std::string revision = "main";  // branch, tag or commit
  bool offline = false;           // make no connection; true too with HF_HUB_OFFLINE=1
};

/// What the caller may hear of; each may be empty. What one throws ends the call.
struct PullCallbacks {
  /// Bytes of a file so far and in all, 0 when unknown.
  std::function<void(const std::string& file, uint64_t done, uint64_t total)> on_progress;
  std::function<void(const std::string& notice)> on_notice;    // "the hub asks to wait 12 s"
  std::function<void(const std::string& message)> on_warning;  // of the checkpoint, a sentence
  std::function<bool()> cancelled;  // true: stop; Error with ErrorCode::cancelled is thrown
};

/// Downloads the checkpoint `name` ("tiny.en", "owner/name") into a folder: configuration,
/// tokenizer, weights. Files that are there and right are kept, begun ones continued. Throws Error
/// naming what could not be had.
WHISPER_S4Y_API void pull(const std::string& name, const std::filesystem::path& folder,
                          const PullOptions& options = {}, const PullCallbacks& callbacks = {});

/// Folder or file of a checkpoint: a path that exists as it is; a model's name from the cache, else
/// from that of huggingface_hub, else pulled into the former. Throws Error when it is neither.
[[nodiscard]] WHISPER_S4Y_API std::filesystem::path resolve_checkpoint(
    const std::string& name_or_path, const PullOptions& options = {},
    const PullCallbacks& callbacks = {});

/// The short names of models on the hub: "tiny", "tiny.en", ...
[[nodiscard]] WHISPER_S4Y_API std::vector<std::string> model_names();

/// What was exported.
struct ExportResult {
  std::string name;               // of the model, "base"
  std::string checkpoint_format;  // it was read in: "safetensors", "ggml", ...
};

/// Writes a checkpoint in the format of another program into a folder, which is made when missing:
/// "safetensors" (Hugging Face), "openai" (a .pt file), "ggml" (whisper.cpp) or "ctranslate2"
/// (faster-whisper). Weights keep their values. Throws Error when the checkpoint cannot be read or
/// the format cannot express it, and when a file cannot be written; the weights appear last.
WHISPER_S4Y_API ExportResult export_checkpoint(const std::string& checkpoint,
                                               const std::filesystem::path& folder,
                                               const std::string& format,
                                               const PullOptions& options = {},
                                               const PullCallbacks& callbacks = {});

/// What export_checkpoint() takes as a format.
[[nodiscard]] WHISPER_S4Y_API std::vector<std::string> export_formats();

/// What a .tflite file, a checkpoint's file or folder, or a recording holds, found by content, as
/// one JSON object: docs/models.md and docs/checkpoints.md name the fields. Throws Error when it
/// is none of them.
[[nodiscard]] WHISPER_S4Y_API std::string describe_file(const std::filesystem::path& path);

}  // namespace whisper_s4y
