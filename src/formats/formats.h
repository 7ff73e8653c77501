// One opener per format; open_checkpoint() (open_checkpoint.h) chooses by content.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "formats/torch_file.h"

namespace whisper_s4y {

/// The three forms of a Hugging Face model: model.safetensors, the tensors of pytorch_model.bin, or
/// the index.json of several files of either. config.json is beside them; without a tokenizer there
/// the built-in one is used.
[[nodiscard]] std::unique_ptr<Checkpoint> open_safetensors(const std::filesystem::path& path);
[[nodiscard]] std::unique_ptr<Checkpoint> open_torch_bin(const std::filesystem::path& path,
                                                         std::vector<TensorView> tensors);
[[nodiscard]] std::unique_ptr<Checkpoint> open_shards(const std::filesystem::path& index);

/// Throws the Error that says what a file is that is none of these.
[[noreturn]] void refuse_unknown(const std::filesystem::path& path,
                                 std::span<const std::byte> bytes);

/// What a .pt file of openai/whisper holds.
[[nodiscard]] std::unique_ptr<Checkpoint> open_openai(const std::filesystem::path& path,
                                                      TorchFile file);

/// A ggml .bin of whisper.cpp.
[[nodiscard]] std::unique_ptr<Checkpoint> open_ggml(const std::filesystem::path& path);

/// A CTranslate2 model.bin with its side files in the same folder.
[[nodiscard]] std::unique_ptr<Checkpoint> open_ctranslate2(const std::filesystem::path& model_bin);

/// Whether a .tflite file written by this program has all weights; a part, or a bundle of a few
/// signatures, may not.
[[nodiscard]] bool is_whole_tflite(const std::filesystem::path& path);

/// A whole .tflite bundle written by this program.
[[nodiscard]] std::unique_ptr<Checkpoint> open_tflite(const std::filesystem::path& path);

}  // namespace whisper_s4y
