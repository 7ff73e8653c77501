// What files hold, as JSON. Includes nlohmann/json, so only .cc files may include this.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>

#include "checkpoint/checkpoint.h"
#include "tflite/reader.h"
#include "whisper_s4y/audio.h"

namespace whisper_s4y {

using Json = nlohmann::ordered_json;

/// Signatures with inputs, outputs and ops, bytes of the constants by type, and what the metadata
/// says of the model.
[[nodiscard]] Json describe_tflite(const TfliteFile& file);
/// Dimensions, tokenizer, languages, tensors by type, a hash of the weights.
[[nodiscard]] Json describe_checkpoint(const Checkpoint& checkpoint);
/// Format, length and audio tracks.
[[nodiscard]] Json describe_audio(const std::filesystem::path& path, const AudioInfo& info);

/// What kind of file that is, by content.
enum class FileContent { tflite, recording, checkpoint };
[[nodiscard]] FileContent content_of(const std::filesystem::path& path);

/// With line breaks; bytes that are not UTF-8 are replaced.
[[nodiscard]] std::string to_text(const Json& description);

}  // namespace whisper_s4y
