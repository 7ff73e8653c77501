// What `inspect` shows of the kinds of files. Includes nlohmann/json, so only .cc files may
// include this.
#pragma once

#include <filesystem>

#include "config/model_info.h"
#include "conversion/describe.h"

namespace whisper_s4y {

/// Print what a .tflite file, or a checkpoint of any format, holds: lines to read, or JSON.
void inspect_tflite(const std::filesystem::path& path, bool json);
void inspect_checkpoint(const std::filesystem::path& path, bool json);
/// The same for the tracks of a recording.
void inspect_audio_file(const std::filesystem::path& path, bool json);

/// Name, languages and dimensions, two lines.
void print_model_info(const ModelInfo& info);
/// Bytes that are not UTF-8 are replaced.
void print_json(const Json& description);

}  // namespace whisper_s4y
