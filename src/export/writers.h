// The writers behind export_checkpoint() and what they share.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "checkpoint/checkpoint.h"
#include "common/output_file.h"

namespace whisper_s4y {

void export_safetensors(const Checkpoint& checkpoint, const std::filesystem::path& dir);
void export_openai(const Checkpoint& checkpoint, const std::filesystem::path& dir);
void export_ggml(const Checkpoint& checkpoint, const std::filesystem::path& dir);
void export_ctranslate2(const Checkpoint& checkpoint, const std::filesystem::path& dir);

/// The smallest of f16, bf16 and f32 that holds all values of all tensors exactly. Reads tensors
/// that are not stored as such once.
[[nodiscard]] StorageType export_type(const Checkpoint& checkpoint);

/// Hands the numbers of a tensor over as `type`, piece by piece. f16 and bf16 must be exact.
void for_each_piece(const TensorView& tensor, StorageType type,
                    const std::function<void(std::span<const std::byte>)>& take);

/// Whether a token stands outside the byte pair encoding: special tokens, and words that a
/// fine-tune has added behind Whisper's text tokens.
[[nodiscard]] bool is_added(const ModelInfo& info, size_t id);

/// Writes config.json, generation_config.json, preprocessor_config.json and the tokenizer files.
void write_hf_files(const Checkpoint& checkpoint, StorageType type,
                    const std::filesystem::path& dir);
void write_preprocessor_config(const ModelInfo& info, const std::filesystem::path& dir);
void write_tokenizer_json(const ModelInfo& info, const std::filesystem::path& dir);

/// A model's name as part of a file's: names come from metadata and paths, and must not lead
/// anywhere. What is no letter, digit, '.', '_' or '-' becomes '-', dots in front go.
[[nodiscard]] std::string file_name_of(std::string_view model_name);

/// Throws Error when the model has an output matrix of its own, for which openai/whisper's names,
/// in .pt and ggml files, have no place. `path` is the file to be written.
void check_tied(const Checkpoint& checkpoint, const std::filesystem::path& path);

/// Throws Error when tokens follow the timestamps, which openai/whisper and whisper.cpp would take
/// for languages. `path` as above.
void check_no_more_tokens(const ModelInfo& info, const std::filesystem::path& path);

/// Writes a whole small file.
void write_text(const std::filesystem::path& path, std::string_view text);

}  // namespace whisper_s4y
