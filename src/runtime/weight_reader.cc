#include "runtime/weight_reader.h"

#include <algorithm>
#include <utility>

#include "common/fail.h"
#include "formats/tflite_tensors.h"

namespace whisper_s4y {

bool LinearWeights::is_exact() const {
  return std::ranges::all_of(parts,
                             [](const StoredMatrix& part) { return part.kind == WeightKind::f32; });
}

WeightReader::WeightReader(std::shared_ptr<const TfliteFile> file, const ModelConfig& config)
    : source_(file->path().string()), tensors_(tensors_of_bundle(std::move(file), config)) {}

const TensorView& WeightReader::tensor(std::string_view name) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) fail(ErrorCode::invalid_file, "{} has no weight {}.", source_, name);
  return found->second;
}

std::vector<float> WeightReader::vector(const std::string& name) const {
  const TensorView& view = tensor(name);
  std::vector<float> numbers(static_cast<size_t>(view.elements()));
  view.read_rows(0, view.rows(), numbers);
  return numbers;
}

NormWeights WeightReader::norm(const std::string& prefix) const {
  return {.gain = vector(prefix + ".weight"), .bias = vector(prefix + ".bias")};
}

LinearWeights WeightReader::matrix(std::string_view name) const {
  const TensorView& view = tensor(name);
  LinearWeights linear{.outputs = static_cast<size_t>(view.rows()),
                       .inputs = static_cast<size_t>(view.row_size())};
  if (view.parts.empty()) {
    linear.parts.push_back(stored(view));
  } else {
    for (const TensorView& part : view.parts) linear.parts.push_back(stored(part));
  }
  return linear;
}

LinearWeights WeightReader::linear(const std::string& prefix) const {
  LinearWeights linear = matrix(prefix + ".weight");
  if (has(prefix + ".bias")) linear.bias = vector(prefix + ".bias");
  return linear;
}

LinearWeights WeightReader::convolution(const std::string& prefix) const {
  const TensorView& kernel = tensor(prefix + ".weight");
  if (!kernel.parts.empty() || !kernel.taps_first) {
    fail(ErrorCode::unsupported, "{} stores the kernel {} in an order that only LiteRT knows.",
         source_, kernel.name);
  }
  return linear(prefix);
}

WeightKind WeightReader::kind_of(const TensorView& view) const {
  switch (view.type) {
    case StorageType::f32:
      return WeightKind::f32;
    case StorageType::f16:
      return WeightKind::f16;
    case StorageType::i8:
      return WeightKind::i8;
    case StorageType::i4:
      if (view.block_scales.size() * kScaledBlock ==
          static_cast<size_t>(view.elements()) * sizeof(uint16_t)) {
        return WeightKind::i4;
      }
      break;
    default:
      break;
  }
  fail(ErrorCode::unsupported, "{} stores the weight {} in a way that only LiteRT computes with.",
       source_, view.name);
}

StoredMatrix WeightReader::stored(const TensorView& view) const {
  return {.kind = kind_of(view),
          .rows = static_cast<size_t>(view.rows()),
          .columns = static_cast<size_t>(view.row_size()),
          .bytes = view.bytes.data(),
          .row_scales = view.row_scales,
          .block_scales = view.block_scales.data(),
          .spread = view.spread,
          .column_factors = view.column_factors,
          .column_offsets = view.column_offsets};
}

}  // namespace whisper_s4y
