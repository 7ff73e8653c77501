// What a file is, by its first bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace whisper_s4y {

enum class FileKind { safetensors, torch, ctranslate2, ggml, tflite, json, other };

/// Goes by the beginning alone: what follows may still be damaged.
[[nodiscard]] FileKind kind_of(std::span<const std::byte> bytes);

/// The name of a checkpoint's format: "safetensors", "PyTorch", "CTranslate2", "whisper.cpp's
/// ggml"; empty for other kinds.
[[nodiscard]] std::string_view checkpoint_format(FileKind kind);

/// What a file of kind `other` or `json` is and what to do, as the rest of a sentence that its name
/// begins: "is a Git LFS pointer, not the weights: run `git lfs pull` in its folder". Empty when it
/// is nothing known.
[[nodiscard]] std::string_view what_else(std::span<const std::byte> bytes);

/// "38 of 76 MB", for a file that is not complete.
[[nodiscard]] std::string part_of_bytes(uint64_t there, uint64_t total);

}  // namespace whisper_s4y
