// What a .tflite file of whisper-s4y says about itself.
#pragma once

#include <string>

#include "config/model_info.h"
#include "tflite/metadata_names.h"
#include "tflite/reader.h"

namespace whisper_s4y {

/// Whether the file was written by whisper-s4y.
[[nodiscard]] bool has_model_metadata(const TfliteFile& file);

/// Reads both entries. Throws Error naming the file and the field when one is missing, is no JSON,
/// has a format_version of the future, or describes an impossible model.
[[nodiscard]] ModelInfo read_model_info(const TfliteFile& file);

/// Identifies the content of the file: "model_hash" of the metadata, or 32 hex digits of xxh3-128
/// over the file when it has none.
[[nodiscard]] std::string model_hash(const TfliteFile& file);

}  // namespace whisper_s4y
