// Opens a .tflite file and checks it well enough that nothing in it can make a reader crash.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>

#include "common/mapped_file.h"
#include "graph/dtype.h"

namespace tflite {
struct Model;
struct OperatorCode;
struct SubGraph;
struct SignatureDef;
struct Tensor;  // NOLINT(bugprone-forward-declaration-namespace): the schema's, not the graph's
}  // namespace tflite

namespace whisper_s4y {

/// The op that a code of a file stands for: writers from before 2020 know only the old field.
[[nodiscard]] int32_t op_number(const tflite::OperatorCode& code);

/// Whether a file begins as a .tflite file does.
[[nodiscard]] bool is_tflite(std::span<const std::byte> bytes);

/// A verified .tflite file. Throws Error naming file and place when the file is not a TFLite
/// flatbuffer, is truncated, or holds an index, offset, size or shape that does not fit.
class TfliteFile {
 public:
  explicit TfliteFile(const std::filesystem::path& path);
  /// Opens what a descriptor refers to, which the caller keeps; `path` is its name in messages.
  TfliteFile(int descriptor, const std::filesystem::path& path);
  /// Copies a file that is in memory; `name` stands for its path.
  TfliteFile(std::span<const std::byte> bytes, std::string_view name);

  [[nodiscard]] const std::filesystem::path& path() const { return file_.path(); }
  [[nodiscard]] uint64_t size() const { return file_.bytes().size(); }
  /// The flatbuffer; include "tflite/schema_generated.h" to look inside.
  [[nodiscard]] const tflite::Model& model() const { return *model_; }

  [[nodiscard]] bool has_metadata(std::string_view name) const;
  /// Bytes of a metadata entry; throws Error when there is none of this name.
  [[nodiscard]] std::string_view metadata(std::string_view name) const;

  /// Bytes of a buffer, wherever they lie; empty for tensors without content.
  [[nodiscard]] std::span<const std::byte> buffer(uint32_t index) const;
  [[nodiscard]] const MappedFile& file() const { return file_; }

 private:
  void verify();
  void check() const;
  void check_subgraph(const tflite::SubGraph& graph, size_t index) const;
  void check_loops() const;

  MappedFile file_;
  const tflite::Model* model_ = nullptr;
};

}  // namespace whisper_s4y
