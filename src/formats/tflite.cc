// A .tflite bundle of ours as a checkpoint: what was done to weights on their way into the graphs
// is undone.
#include <algorithm>
#include <map>
#include <optional>

#include "checkpoint/layout.h"
#include "checkpoint/storage.h"
#include "common/fail.h"
#include "config/sinusoids.h"
#include "formats/constant_names.h"
#include "formats/formats.h"
#include "formats/tflite_tensors.h"
#include "tflite/model_metadata.h"
#include "tflite/reader.h"
#include "tflite/schema_generated.h"
#include "tflite/stored_weights.h"

namespace whisper_s4y {
namespace {

std::optional<StorageType> storage_type(tflite::TensorType type) {
  switch (static_cast<DType>(type)) {
    case DType::f32:
      return StorageType::f32;
    case DType::f16:
      return StorageType::f16;
    case DType::i8:
      return StorageType::i8;
    case DType::i4:
      return StorageType::i4;
    default:
      return std::nullopt;
  }
}

/// A tensor's name in its graph: files say GRAPH/NAME, those of before NAME alone.
std::string_view name_within(const tflite::SubGraph& graph, const tflite::Tensor& tensor) {
  std::string_view name = tensor.name()->string_view();
  if (graph.name() == nullptr) return name;
  const std::string_view stem = graph.name()->string_view();
  if (name.starts_with(stem) && name.substr(stem.size()).starts_with('/')) {
    name.remove_prefix(stem.size() + 1);
  }
  return name;
}

class Importer {
 public:
  explicit Importer(std::shared_ptr<const TfliteFile> file)
      : file_(std::move(file)), source_(file_->path().string()) {
    // All signatures share the constants: the first use of each will do.
    for (const tflite::SubGraph* graph : *file_->model().subgraphs()) {
      if (graph->tensors() == nullptr) continue;
      for (const tflite::Tensor* tensor : *graph->tensors()) {
        if (tensor->name() == nullptr || file_->buffer(tensor->buffer()).empty()) continue;
        constants_.try_emplace(name_within(*graph, *tensor), tensor);
      }
    }
    if (auto weights = read_stored_weights(*file_)) {
      has_metadata_ = true;
      for (StoredWeight& stored : *weights) {
        std::string weight = stored.weight;
        stored_[std::move(weight)].push_back(std::move(stored));
      }
    }
  }

  /// Whether all weights are there.
  [[nodiscard]] bool is_whole(const ModelConfig& config) const {
    return std::ranges::all_of(expected_tensors(config), [&](const ExpectedTensor& want) {
      return !stored(want.name).empty();
    });
  }

  /// All tensors, and the output matrix if the file has one.
  [[nodiscard]] std::map<std::string, TensorView, std::less<>> import(
      const ModelConfig& config) const {
    std::map<std::string, TensorView, std::less<>> tensors;
    for (const ExpectedTensor& want : expected_tensors(config)) {
      tensors.emplace(want.name, view_of(want));
    }
    const std::string output(kOutputMatrix);
    if (!stored(output).empty()) {
      tensors.emplace(output, view_of({output, {config.vocab_size, config.d_model}}));
    }
    return tensors;
  }

 private:
  /// The constants that hold rows of the weight.
  [[nodiscard]] std::vector<StoredWeight> stored(const std::string& weight) const {
    if (!has_metadata_) return stored_by_name(constants_, weight);
    const auto found = stored_.find(weight);
    if (found != stored_.end()) return found->second;
    if (!constants_.contains(weight)) return {};
    return {StoredWeight{.weight = weight, .constant = weight}};
  }

  [[nodiscard]] TensorView view_of(const ExpectedTensor& want) const {
    std::vector<TensorView> parts;
    int64_t rows = 0;
    const std::vector<StoredWeight> all = stored(want.name);
    for (bool found = true; found && rows < rows_of(want);) {
      found = false;
      for (const StoredWeight& one : all) {
        if (one.first_row != rows) continue;
        if (one.constant.empty()) return computed_positions(empty_view(want.name, want.shape));
        if (auto part = read(one, want)) {
          rows += part->rows();
          parts.push_back(std::move(*part));
          found = true;
          break;
        }
      }
    }
    if (rows < rows_of(want)) refuse(want, all);
    if (parts.size() == 1) return std::move(parts[0]);
    TensorView joined = empty_view(want.name, want.shape);
    joined.parts = std::move(parts);
    return joined;
  }

  static int64_t rows_of(const ExpectedTensor& want) {
    return want.shape.empty() ? 1 : want.shape[0];
  }

  [[noreturn]] void refuse(const ExpectedTensor& want,
                           const std::vector<StoredWeight>& unfit) const {
    std::string others;
    for (const StoredWeight& stored : unfit) others += fmt::format(" \"{}\"", stored.constant);
    for (const std::string_view name : unknown_names(constants_, want.name)) {
      others += fmt::format(" \"{}\"", name);
    }
    if (others.empty()) {
      fail(
          "{} has no weight {}: only a bundle with encoder and decoder can stand for a "
          "checkpoint, not a part.",
          source_, want.name);
    }
    fail("{}: the weight {} of shape {} cannot be had from{}.", source_, want.name,
         to_string(want.shape), others);
  }

  [[nodiscard]] TensorView empty_view(std::string name, std::vector<int64_t> shape) const {
    TensorView view{.name = std::move(name), .shape = std::move(shape)};
    view.file = std::shared_ptr<const MappedFile>(file_, &file_->file());
    return view;
  }

  // Of the encoder, where the file computes them too.
  static TensorView computed_positions(TensorView view) {
    const std::vector<float> numbers =
        sinusoids(static_cast<int>(view.rows()), static_cast<int>(view.row_size()));
    const auto bytes = std::as_bytes(std::span(numbers));
    view.copy = std::make_shared<const std::vector<std::byte>>(bytes.begin(), bytes.end());
    view.bytes = *view.copy;
    view.file = nullptr;
    return view;
  }

  /// The rows of a weight that a constant holds; nothing when it cannot hold any.
  [[nodiscard]] std::optional<TensorView> read(const StoredWeight& stored,
                                               const ExpectedTensor& want) const {
    const auto found = constants_.find(stored.constant);
    if (found == constants_.end()) return std::nullopt;
    const tflite::Tensor& tensor = *found->second;
    TensorView view = empty_view(want.name, want.shape);
    std::optional<StorageType> type = storage_type(tensor.type());
    // GATHER takes two numbers of int4 as one byte.
    if (type == StorageType::i8 && !stored.block_scales.empty()) type = StorageType::i4;
    if (!type || (stored.taps_first && want.shape.size() != 3)) return std::nullopt;
    view.type = *type;
    view.taps_first = stored.taps_first;
    view.bytes = file_->buffer(tensor.buffer());
    const std::optional<int64_t> rows = rows_in(view, stored, tensor);
    if (!rows) return std::nullopt;
    if (!view.shape.empty()) view.shape[0] = *rows;
    if (!read_scales(stored, tensor, view) || !read_columns(stored, view)) {
      return std::nullopt;
    }
    if (stored.factor != 1 && !view.column_offsets.empty()) return std::nullopt;
    undo_factor(stored.factor, view);
    return view;
  }

  /// How many rows of the weight the bytes are, of those that are left after the first row.
  [[nodiscard]] std::optional<int64_t> rows_in(const TensorView& view, const StoredWeight& stored,
                                               const tflite::Tensor& tensor) const {
    const auto row = static_cast<uint64_t>(view.row_size());
    const uint64_t block = block_elements(view.type);
    if (row == 0 || row % block != 0) return std::nullopt;
    const uint64_t row_bytes = stored_bytes(view.type, row);
    const auto count = static_cast<int64_t>(view.bytes.size() / row_bytes);
    const bool fits = view.bytes.size() % row_bytes == 0 && count >= 1 &&
                      stored.first_row <= view.rows() - count && has_rows(tensor, count);
    return fits ? std::optional(count) : std::nullopt;
  }

  /// A tensor of one dimension, or of `count` rows, or with 1 in front of them.
  static bool has_rows(const tflite::Tensor& tensor, int64_t count) {
    const auto* shape = tensor.shape();
    if (shape == nullptr || shape->empty()) return count == 1;
    return shape->Get(0) == count ||
           (shape->size() > 1 && shape->Get(0) == 1 && shape->Get(1) == count);
  }

  [[nodiscard]] bool read_scales(const StoredWeight& stored, const tflite::Tensor& tensor,
                                 TensorView& view) const {
    if (view.type == StorageType::i4) return read_block_scales(stored, view);
    if (view.type != StorageType::i8) return stored.row_scales.empty();
    if (stored.row_scales.empty()) {
      read_row_scales(tensor, view);
      return true;
    }
    return read_floats(stored.row_scales, static_cast<size_t>(view.rows()), view.row_scales);
  }

  void read_row_scales(const tflite::Tensor& tensor, TensorView& view) const {
    const tflite::QuantizationParameters* q = tensor.quantization();
    if (q == nullptr || q->scale() == nullptr || q->quantized_dimension() != 0 ||
        static_cast<int64_t>(q->scale()->size()) != view.rows()) {
      fail("{}: weight {} has no scale for each of its {} rows.", source_, view.name, view.rows());
    }
    if (q->zero_point() != nullptr) {
      for (const int64_t zero : *q->zero_point()) {
        if (zero != 0) fail("{}: weight {} has a zero point of {}.", source_, view.name, zero);
      }
    }
    view.row_scales.assign(q->scale()->begin(), q->scale()->end());
  }

  // Float16, of blocks of the same size in all rows.
  [[nodiscard]] bool read_block_scales(const StoredWeight& stored, TensorView& view) const {
    const auto found = constants_.find(stored.block_scales);
    if (found == constants_.end()) return false;
    const auto* shape = found->second->shape();
    if (static_cast<DType>(found->second->type()) != DType::f16 || shape == nullptr ||
        shape->size() != 2 || shape->Get(0) != view.rows() || shape->Get(1) < 1 ||
        view.row_size() % shape->Get(1) != 0) {
      return false;
    }
    view.block_scales = file_->buffer(found->second->buffer());
    return true;
  }

  [[nodiscard]] bool read_columns(const StoredWeight& stored, TensorView& view) const {
    const auto width = static_cast<size_t>(view.row_size());
    view.spread = stored.spread;
    const auto read = [&](const std::string& name, std::vector<float>& numbers) {
      return name.empty() || read_floats(name, width, numbers);
    };
    return read(stored.column_factors, view.column_factors) &&
           read(stored.column_offsets, view.column_offsets);
  }

  [[nodiscard]] bool read_floats(const std::string& name, size_t count,
                                 std::vector<float>& numbers) const {
    const auto found = constants_.find(name);
    if (found == constants_.end() || static_cast<DType>(found->second->type()) != DType::f32) {
      return false;
    }
    const auto bytes = file_->buffer(found->second->buffer());
    if (bytes.size() != count * sizeof(float)) return false;
    numbers.resize(count);
    to_float(StorageType::f32, bytes, numbers);
    return true;
  }

  // Exact for powers of two, which the attention scale is where heads have 4, 16 or 64 numbers, as
  // in all published models.
  static void undo_factor(float factor, TensorView& view) {
    if (factor == 1.0F) return;
    view.row_scales.resize(static_cast<size_t>(view.rows()), 1.0F);
    for (float& scale : view.row_scales) scale /= factor;
  }

  std::shared_ptr<const TfliteFile> file_;
  std::string source_;
  Constants constants_;
  bool has_metadata_ = false;
  std::map<std::string, std::vector<StoredWeight>, std::less<>> stored_;  // by the weight's name
};

}  // namespace

bool is_whole_tflite(const std::filesystem::path& path) {
  auto file = std::make_shared<const TfliteFile>(path);
  const ModelInfo info = read_model_info(*file);
  return Importer(std::move(file)).is_whole(info.config);
}

std::unique_ptr<Checkpoint> open_tflite(const std::filesystem::path& path) {
  auto file = std::make_shared<const TfliteFile>(path);
  auto checkpoint = std::make_unique<Checkpoint>();
  checkpoint->format = "tflite";
  checkpoint->path = path;
  checkpoint->info = read_model_info(*file);
  checkpoint->tensors = Importer(std::move(file)).import(checkpoint->info.config);
  return checkpoint;
}

std::map<std::string, TensorView, std::less<>> tensors_of_bundle(
    std::shared_ptr<const TfliteFile> file, const ModelConfig& config) {
  return Importer(std::move(file)).import(config);
}

}  // namespace whisper_s4y
