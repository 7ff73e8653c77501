// One opener per format; open_checkpoint() chooses by content.
#pragma once

#include <filesystem>
#include <memory>

#include "checkpoint/checkpoint.h"

namespace whisper_s4y {

/// A Hugging Face folder whose weights are `weights`: a .safetensors file or its index.json, or
/// pytorch_model.bin or its index.json. Without a tokenizer beside it the built-in one is used.
[[nodiscard]] std::unique_ptr<Checkpoint> open_safetensors(const std::filesystem::path& weights);

[[nodiscard]] std::unique_ptr<Checkpoint> open_torch_bin(const std::filesystem::path& weights);

/// A .pt file of openai/whisper.
[[nodiscard]] std::unique_ptr<Checkpoint> open_openai(const std::filesystem::path& path);

/// A ggml .bin of whisper.cpp.
[[nodiscard]] std::unique_ptr<Checkpoint> open_ggml(const std::filesystem::path& path);

/// A CTranslate2 model.bin with its side files in the same folder.
[[nodiscard]] std::unique_ptr<Checkpoint> open_ctranslate2(const std::filesystem::path& model_bin);

}  // namespace whisper_s4y
