// A .tflite bundle of ours as a checkpoint: its constants have the names of the tensors they came
// from. What was done to a tensor on its way into the graph follows in the name (graph/constant.h:
// scaled, conv_kernel, reshaped) and is undone here.
#include <charconv>
#include <cmath>
#include <map>
#include <optional>

#include "checkpoint/layout.h"
#include "checkpoint/storage.h"
#include "common/fail.h"
#include "config/sinusoids.h"
#include "formats/formats.h"
#include "tflite/model_metadata.h"
#include "tflite/reader.h"
#include "tflite/schema_generated.h"

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

std::vector<int64_t> shape_of(const tflite::Tensor& tensor) {
  if (tensor.shape() == nullptr) return {};
  return {tensor.shape()->begin(), tensor.shape()->end()};
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
        constants_.try_emplace(tensor->name()->string_view(), tensor);
      }
    }
  }

  void import(Checkpoint& checkpoint) {
    for (const ExpectedTensor& want : expected_tensors(checkpoint.info.config)) {
      checkpoint.tensors.emplace(want.name, view_of(want));
    }
    const auto output = constants_.lower_bound(kOutputMatrix);
    if (output == constants_.end() || !output->first.starts_with(kOutputMatrix)) return;
    const ModelConfig& c = checkpoint.info.config;
    const ExpectedTensor want{std::string(kOutputMatrix), {c.vocab_size, c.d_model}};
    checkpoint.tensors.emplace(want.name, view_of(want));
  }

 private:
  using Constants = std::map<std::string_view, const tflite::Tensor*>;

  [[nodiscard]] TensorView view_of(const ExpectedTensor& want) const {
    TensorView view = empty_view(want.name, want.shape);
    std::string others;
    if (find(want.name, view, others) || join_parts(want, view, others)) return view;
    if (constants_.contains(want.name + ".coarse_sines")) return computed_positions(view);
    if (others.empty()) {
      fail("{} has no weight {}: only a whole bundle can stand for a checkpoint, not a part.",
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

  // Fills `view` with the constant called `stem` and what was done to it; adds the names of those
  // that would not do to `others`.
  bool find(std::string_view stem, TensorView& view, std::string& others) const {
    for (auto at = constants_.lower_bound(stem);
         at != constants_.end() && at->first.starts_with(stem); ++at) {
      const std::string_view change = at->first.substr(stem.size());
      if (undo(at->first, change, *at->second, view)) return true;
      if (change.empty() || change.find_first_of("*:.") == 0)
        others += fmt::format(" \"{}\"", at->first);
    }
    return false;
  }

  // A matrix whose rows are stored in several ways: NAME[FIRST+COUNT], from row 0 on without gaps.
  bool join_parts(const ExpectedTensor& want, TensorView& view, std::string& others) const {
    int64_t first = 0;
    while (first < view.rows()) {
      const std::string begin = fmt::format("{}[{}+", want.name, first);
      const auto at = constants_.lower_bound(begin);
      if (at == constants_.end() || !at->first.starts_with(begin)) return false;
      const std::string_view tail = at->first.substr(begin.size());
      int64_t count = 0;
      const auto [end, error] = std::from_chars(tail.data(), tail.data() + tail.size(), count);
      if (error != std::errc() || count < 1 || count > view.rows() - first) return false;
      std::vector<int64_t> shape = want.shape;
      shape[0] = count;
      TensorView part = empty_view(want.name, std::move(shape));
      if (!find(fmt::format("{}{}]", begin, count), part, others)) return false;
      view.parts.push_back(std::move(part));
      first += count;
    }
    return true;
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

  // `change` is what follows the weight's own name: "", "*0.125" and, after these, ":ohwi",
  // ":[1, 1500, 512]", ".scales.int4", ".integers" and so on. False when it is none of these.
  bool undo(std::string_view name, std::string_view change, const tflite::Tensor& tensor,
            TensorView& view) const {
    std::vector<int64_t> want = view.shape;
    const std::vector<int64_t> shape = shape_of(tensor);
    std::optional<StorageType> type = storage_type(tensor.type());
    float factor = 1;
    if (change.starts_with('*') && !read_factor(change, factor)) return false;
    const bool kernel_matrix = want.size() == 3 && change.starts_with(":ohwi:[");
    if (kernel_matrix) {
      change.remove_prefix(std::min(change.find(']'), change.size() - 1) + 1);
      want = {want[0], want[1] * want[2]};
    }
    if (change.empty()) {
      if (shape != want) return false;
      if (static_cast<DType>(tensor.type()) == DType::i8) read_row_scales(tensor, view);
    } else if (change == ":ohwi") {
      if (want.size() != 3 || shape != std::vector{want[0], int64_t{1}, want[2], want[1]}) {
        return false;
      }
      view.taps_first = true;
    } else if (change.starts_with(".integers")) {  // of TFLite 2.14: the scales are a constant
      const std::string_view stem = name.substr(0, name.size() - change.size());
      if (shape != want || !read_scales_constant(stem, view)) return false;
    } else if (change.ends_with(".scales.int4")) {
      if (shape != want || !read_block_scales(name.substr(0, name.size() - 5), view)) return false;
    } else if (change.ends_with(".scales.pairs")) {  // two of int4 as one int8, for GATHER
      if (want.size() != 2 || shape != std::vector{want[0], want[1] / 2} ||
          !read_block_scales(name.substr(0, name.size() - 6), view)) {
        return false;
      }
      type = StorageType::i4;
    } else if (!change.starts_with(":[")) {  // there the number of bytes says enough
      return false;
    }
    if (kernel_matrix) view.taps_first = true;
    read_bytes(tensor, type, view);
    undo_factor(factor, view);
    return true;
  }

  void read_bytes(const tflite::Tensor& tensor, std::optional<StorageType> type,
                  TensorView& view) const {
    const uint64_t elements = checked_elements(view.shape, source_, view.name);
    view.bytes = file_->buffer(tensor.buffer());
    const bool scaled = !view.row_scales.empty() || !view.block_scales.empty();
    if (!type || elements % block_elements(*type) != 0 ||
        view.bytes.size() != stored_bytes(*type, elements) ||
        scaled != (*type == StorageType::i8 || *type == StorageType::i4)) {
      fail("{}: weight {} of {} bytes and type {} does not hold the {} numbers of {}.", source_,
           view.name, view.bytes.size(), static_cast<int>(tensor.type()), elements,
           to_string(view.shape));
    }
    view.type = *type;
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

  // NAME.scales, float32.
  bool read_scales_constant(std::string_view name, TensorView& view) const {
    return read_floats(fmt::format("{}.scales", name), static_cast<size_t>(view.rows()),
                       view.row_scales);
  }

  // Float16, of blocks of the same size in all rows. The token embedding's columns were divided.
  bool read_block_scales(std::string_view name, TensorView& view) const {
    const auto found = constants_.find(name);
    if (found == constants_.end()) return false;
    const std::vector<int64_t> shape = shape_of(*found->second);
    if (static_cast<DType>(found->second->type()) != DType::f16 || shape.size() != 2 ||
        shape[0] != view.rows() || shape[1] < 1 || view.row_size() % shape[1] != 0) {
      return false;
    }
    view.block_scales = file_->buffer(found->second->buffer());
    return !constants_.contains(view.name + ".factors") ||
           read_floats(view.name + ".factors", static_cast<size_t>(view.row_size()),
                       view.column_factors);
  }

  bool read_floats(const std::string& name, size_t count, std::vector<float>& numbers) const {
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

  // Takes "*0.125" off.
  static bool read_factor(std::string_view& change, float& factor) {
    const char* last = change.data() + change.size();
    const auto [end, error] = std::from_chars(change.data() + 1, last, factor);
    change.remove_prefix(static_cast<size_t>(end - change.data()));
    return error == std::errc() && factor > 0 && std::isfinite(1.0F / factor);
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
