// Writes a Module as a .tflite file, streaming: constants are produced while they are written.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "common/output_file.h"
#include "graph/graph.h"

namespace whisper_s4y {

/// Where metadata holds this text, the writer puts the hash of the file instead (32 hex digits of
/// xxh3-128 over everything but these digits), so that a reader knows the content without reading
/// it all.
inline constexpr std::string_view kModelHashPlaceholder = "model-hash-is-written-here-later";

struct WriteOptions {
  /// Largest flatbuffer written in one piece. Beyond it large buffers lie after the flatbuffer,
  /// addressed by Buffer.offset and Buffer.size; readers older than 2024 do not know these.
  uint64_t flatbuffer_limit = (uint64_t{1} << 31) - (uint64_t{1} << 20);
  /// Called now and then with the bytes written and their total.
  std::function<void(uint64_t, uint64_t)> progress;
  /// Looks at the finished file before it gets its name; see OutputFile.
  OutputFile::Check check;
};

struct WriteResult {
  uint64_t file_size = 0;
  std::string model_hash;  // as in the metadata
};

/// Writes the module to `path`, which appears only when complete. Peak memory is that of the
/// module without its weights plus a few megabytes. Throws Error when the file cannot be written.
WriteResult write_tflite(const Module& module, const std::filesystem::path& path,
                         const WriteOptions& options = {});
/// The same to a file that is open already, and empty.
WriteResult write_tflite(const Module& module, OutputFile& file, const WriteOptions& options = {});

/// The bytes that write_tflite() would write; no constant is produced.
[[nodiscard]] uint64_t size_as_tflite(const Module& module);

}  // namespace whisper_s4y
