// What every checkpoint format becomes: dimensions, tokens and named tensors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/warnings.h"
#include "common/mapped_file.h"
#include "config/model_info.h"

namespace whisper_s4y {

/// How the numbers of a tensor are stored in the checkpoint.
enum class StorageType {
  f32,
  f64,  // read as float32
  f16,
  bf16,
  i8,   // with a scale per row
  i16,  // the same
  i4,   // with a scale per block of a row; two numbers a byte, the first in the low half
  q4_0,
  q4_1,
  q5_0,
  q5_1,
  q8_0,  // ggml: blocks of 32 numbers along the row
  q2_k,
  q3_k,
  q4_k,
  q5_k,
  q6_k,  // ggml: super-blocks of 256
};

[[nodiscard]] std::string_view name_of(StorageType type);

/// A named tensor as a view into the mapped checkpoint. Row = index of dimension 0; row-major but
/// for kernels with `taps_first`.
struct TensorView {
  std::string name;  // canonical: HF's without "model."
  StorageType type = StorageType::f32;
  std::string other_type = {};  // if any: the file's name for a type we do not read; no bytes then
  std::vector<int64_t> shape;
  std::span<const std::byte> bytes;  // the stored numbers, inside file->bytes() or *copy
  std::vector<float> row_scales;     // if any: value = stored * row_scales[row]
  bool taps_first = false;           // a kernel [n, inputs, taps] stored as [n, taps, inputs]
  std::span<const std::byte> block_scales;  // i4: float16, of the blocks of each row in order
  bool spread = false;                      // ColumnSpreading of the rows follows the scales,
  std::vector<float> column_factors;        // if any: then column i is multiplied by number i,
  std::vector<float> column_offsets;        // if any: at last number i is added to column i
  std::shared_ptr<const MappedFile> file;   // keeps the view alive
  std::shared_ptr<const std::vector<std::byte>> copy;  // instead of file: numbers put in order
  std::vector<TensorView> parts;  // instead of bytes: each holds the rows after the last one's

  [[nodiscard]] int64_t rows() const { return shape.empty() ? 1 : shape[0]; }
  [[nodiscard]] int64_t row_size() const;  // elements per row
  [[nodiscard]] int64_t elements() const { return rows() * row_size(); }
  /// Whether `bytes` are the values themselves as `type`, in order and without scales.
  [[nodiscard]] bool is_stored_as(StorageType type) const;
  /// Writes rows [first, first + count) as float32, count * row_size() numbers.
  void read_rows(int64_t first, int64_t count, std::span<float> out) const;
  /// Gives the pages of these rows back to the system, see MappedFile::release.
  void release_rows(int64_t first, int64_t count) const;

 private:
  void multiply_blocks(int64_t first, std::span<float> out) const;
  void restore_columns(std::span<float> rows) const;
  /// Calls visit(part, its first row, number of its rows) for these rows.
  template <typename Visit>
  void for_parts(int64_t first, int64_t count, Visit visit) const;
};

/// An opened checkpoint. Tensors have Hugging Face's names without the prefix "model.":
/// encoder.conv1.weight [d, mels, 3], encoder.layers.0.self_attn.q_proj.weight [d, d],
/// decoder.embed_tokens.weight [V, d], ... Shapes are checked against the config when opened.
/// proj_out.weight [V, d] is there only where it differs from decoder.embed_tokens.weight.
class Checkpoint {
 public:
  ModelInfo info;
  std::string format;                                      // "safetensors", "ctranslate2", ...
  std::filesystem::path path;                              //
  std::map<std::string, TensorView, std::less<>> tensors;  // by canonical name
  Warnings warnings;  // what of the files was left out, and what stands in for it

  [[nodiscard]] bool has(std::string_view name) const;
  /// Throws Error naming the checkpoint and the tensor when it is missing.
  [[nodiscard]] const TensorView& tensor(std::string_view name) const;
};

}  // namespace whisper_s4y
