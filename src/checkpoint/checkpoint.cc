#include "checkpoint/checkpoint.h"

#include "checkpoint/storage.h"
#include "whisper_s4y/error.h"

namespace whisper_s4y {

int64_t TensorView::row_size() const {
  int64_t size = 1;
  for (size_t i = 1; i < shape.size(); ++i) size *= shape[i];
  return size;
}

void TensorView::read_rows(int64_t first, int64_t count, std::span<float> out) const {
  const int64_t width = row_size();
  if (first < 0 || count < 0 || first > rows() - count ||
      out.size() != static_cast<size_t>(count * width)) {
    fail("Tensor {}: cannot read {} rows of {} numbers from row {} of {} into {} numbers.", name,
         count, width, first, rows(), out.size());
  }
  const size_t row_bytes = stored_bytes(type, static_cast<uint64_t>(width));
  const auto stored =
      bytes.subspan(static_cast<size_t>(first) * row_bytes, static_cast<size_t>(count) * row_bytes);
  if (type != StorageType::i8 && type != StorageType::i16) {
    to_float(type, stored, out);
    return;
  }
  for (int64_t row = 0; row < count; ++row) {
    const auto at = static_cast<size_t>(row);
    const auto numbers = out.subspan(at * static_cast<size_t>(width), static_cast<size_t>(width));
    to_float(type, stored.subspan(at * row_bytes, row_bytes), numbers);
    const float scale = row_scales[static_cast<size_t>(first + row)];
    for (float& number : numbers) number *= scale;
  }
}

void TensorView::release_rows(int64_t first, int64_t count) const {
  if (file == nullptr) return;
  const size_t row_bytes = stored_bytes(type, static_cast<uint64_t>(row_size()));
  file->release(bytes.subspan(static_cast<size_t>(first) * row_bytes,
                              static_cast<size_t>(count) * row_bytes));
}

bool Checkpoint::has(std::string_view name) const { return tensors.contains(name); }

const TensorView& Checkpoint::tensor(std::string_view name) const {
  const auto found = tensors.find(name);
  if (found == tensors.end()) fail("{} has no tensor {}.", path.string(), name);
  return found->second;
}

}  // namespace whisper_s4y
