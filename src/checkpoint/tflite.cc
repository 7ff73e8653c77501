// A .tflite bundle of ours as a checkpoint: its constants have the names of the tensors they came
// from. What was done to a tensor on its way into the graph follows in the name (graph/constant.h:
// scaled, conv_kernel, reshaped) and is undone here.
#include <charconv>
#include <cmath>
#include <map>
#include <optional>

#include "checkpoint/formats.h"
#include "checkpoint/layout.h"
#include "checkpoint/storage.h"
#include "tflite/model_metadata.h"
#include "tflite/reader.h"
#include "tflite/schema_generated.h"
#include "whisper_s4y/error.h"

namespace whisper_s4y {
namespace {

struct StoredTensor {
  const tflite::Tensor* tensor;
  std::string_view change;  // "", "*0.125", ":ohwi", ":[1, 1500, 512]"
};

std::optional<StorageType> storage_type(int8_t type) {
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

std::vector<int64_t> shape_of(const tflite::Tensor& tensor) {
  if (tensor.shape() == nullptr) return {};
  return {tensor.shape()->begin(), tensor.shape()->end()};
}

class Importer {
 public:
  explicit Importer(std::shared_ptr<const TfliteFile> file)
      : file_(std::move(file)), source_(file_->path().string()) {}

  void import(Checkpoint& checkpoint) {
    const std::vector<ExpectedTensor> expected = expected_tensors(checkpoint.info.config);
    const auto stored = find_constants();
    for (const ExpectedTensor& want : expected) {
      const auto found = stored.find(want.name);
      if (found == stored.end()) {
        fail("{} has no weight {}: only a whole bundle can stand for a checkpoint, not a part.",
             source_, want.name);
      }
      checkpoint.tensors.emplace(want.name, view_of(want, found->second));
    }
  }

 private:
  // Weights by the names of their tensors. All signatures share them: the first use will do.
  [[nodiscard]] std::map<std::string_view, StoredTensor> find_constants() const {
    std::map<std::string_view, StoredTensor> found;
    for (const tflite::SubGraph* graph : *file_->model().subgraphs()) {
      if (graph->tensors() == nullptr) continue;
      for (const tflite::Tensor* tensor : *graph->tensors()) {
        if (tensor->name() == nullptr || file_->buffer(tensor->buffer()).empty()) continue;
        const std::string_view name = tensor->name()->string_view();
        const size_t end = std::min(name.find_first_of("*:"), name.size());
        found.try_emplace(name.substr(0, end), StoredTensor{tensor, name.substr(end)});
      }
    }
    return found;
  }

  [[nodiscard]] TensorView view_of(const ExpectedTensor& want, const StoredTensor& stored) const {
    const tflite::Tensor& tensor = *stored.tensor;
    const auto type = storage_type(tensor.type());
    const uint64_t elements = checked_elements(want.shape, source_, want.name);
    const auto bytes = file_->buffer(tensor.buffer());
    if (!type || elements % block_elements(*type) != 0 ||
        bytes.size() != stored_bytes(*type, elements)) {
      fail("{}: weight {} of {} bytes and type {} does not hold the {} numbers of {}.", source_,
           want.name, bytes.size(), tensor.type(), elements, to_string(want.shape));
    }
    TensorView view{.name = want.name, .type = *type, .shape = want.shape, .bytes = bytes};
    view.file = std::shared_ptr<const MappedFile>(file_, &file_->file());
    if (*type == StorageType::i8 || *type == StorageType::i4) {
      view.row_scales = scales_of(tensor, want);
    }
    undo(stored.change, shape_of(tensor), view);
    return view;
  }

  [[nodiscard]] std::vector<float> scales_of(const tflite::Tensor& tensor,
                                             const ExpectedTensor& want) const {
    const tflite::QuantizationParameters* q = tensor.quantization();
    if (q == nullptr || q->scale() == nullptr || q->quantized_dimension() != 0 ||
        static_cast<int64_t>(q->scale()->size()) != want.shape[0]) {
      fail("{}: weight {} has no scale for each of its {} rows.", source_, want.name,
           want.shape[0]);
    }
    if (q->zero_point() != nullptr) {
      for (const int64_t zero : *q->zero_point()) {
        if (zero != 0) fail("{}: weight {} has a zero point of {}.", source_, want.name, zero);
      }
    }
    return {q->scale()->begin(), q->scale()->end()};
  }

  void undo(std::string_view change, const std::vector<int64_t>& shape, TensorView& view) const {
    const std::vector<int64_t>& want = view.shape;
    bool known = false;
    if (change.empty()) {
      known = shape == want;
    } else if (change.starts_with('*')) {
      known = shape == want && undo_factor(change.substr(1), view);
    } else if (change == ":ohwi") {
      known = want.size() == 3 && shape == std::vector<int64_t>{want[0], 1, want[2], want[1]};
      view.taps_first = true;
    } else if (change.starts_with(":[")) {
      known = true;  // rows of another length; their number is that of the bytes
    }
    if (!known) {
      fail("{}: weight {} is stored as \"{}\" of shape {}, from which {} cannot be had.", source_,
           view.name, change, to_string(shape), to_string(want));
    }
  }

  // Exact for powers of two, which the attention scale is where heads have 4, 16 or 64 numbers, as
  // in all published models.
  static bool undo_factor(std::string_view text, TensorView& view) {
    float factor = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), factor);
    const float inverse = 1.0F / factor;
    if (error != std::errc() || end != text.data() + text.size() || !(factor > 0) ||
        !std::isfinite(inverse)) {
      return false;
    }
    view.row_scales.resize(static_cast<size_t>(view.rows()), 1.0F);
    for (float& scale : view.row_scales) scale *= inverse;
    return true;
  }

  std::shared_ptr<const TfliteFile> file_;
  std::string source_;
};

}  // namespace

std::unique_ptr<Checkpoint> open_tflite(const std::filesystem::path& path) {
  auto file = std::make_shared<const TfliteFile>(path);
  auto checkpoint = std::make_unique<Checkpoint>();
  checkpoint->format = "tflite";
  checkpoint->path = path;
  checkpoint->info = read_model_info(*file);
  Importer(std::move(file)).import(*checkpoint);
  return checkpoint;
}

}  // namespace whisper_s4y
