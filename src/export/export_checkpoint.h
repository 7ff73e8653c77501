// Writes a checkpoint in the format of another program.
#pragma once

#include <filesystem>
#include <string_view>

#include "checkpoint/checkpoint.h"

namespace whisper_s4y {

/// Writes `checkpoint` into the folder `dir`, which is made when missing. `format` is
/// - "safetensors": model.safetensors with config and tokenizer files, for Hugging Face;
/// - "openai": NAME.pt, for openai/whisper;
/// - "ggml": ggml-NAME.bin, for whisper.cpp;
/// - "ctranslate2": model.bin with its side files, for faster-whisper.
/// Weights are float16 or bfloat16 where that holds every value exactly, else float32; ggml keeps
/// vectors and position tables in float32. Throws Error for an unknown format, for models the
/// format cannot express, and when a file cannot be written; the weights appear last.
void export_checkpoint(const Checkpoint& checkpoint, const std::filesystem::path& dir,
                       std::string_view format);

}  // namespace whisper_s4y
