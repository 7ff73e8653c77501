#include "checkpoint/checkpoint.h"

#include <algorithm>

#include "checkpoint/storage.h"
#include "common/cancellation.h"
#include "common/column_spreading.h"
#include "common/fail.h"

namespace whisper_s4y {

namespace {

// Rows of [taps, inputs] become rows of [inputs, taps].
void put_inputs_first(std::span<float> rows, size_t inputs, size_t taps) {
  std::vector<float> row(inputs * taps);
  for (size_t at = 0; at < rows.size(); at += row.size()) {
    const auto numbers = rows.subspan(at, row.size());
    std::ranges::copy(numbers, row.begin());
    for (size_t input = 0; input < inputs; ++input) {
      for (size_t tap = 0; tap < taps; ++tap) {
        numbers[input * taps + tap] = row[tap * inputs + input];
      }
    }
  }
}

}  // namespace

bool TensorView::is_stored_as(StorageType other) const {
  return type == other && row_scales.empty() && !spread && column_factors.empty() &&
         column_offsets.empty() && !taps_first && parts.empty();
}

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
  if (!parts.empty()) {
    for_parts(first, count, [&](const TensorView& part, int64_t row, int64_t rows) {
      const auto numbers = static_cast<size_t>(rows * width);
      part.read_rows(row, rows, out.first(numbers));
      out = out.subspan(numbers);
    });
    return;
  }
  stop_point();
  const size_t row_bytes = stored_bytes(type, static_cast<uint64_t>(width));
  const auto stored =
      bytes.subspan(static_cast<size_t>(first) * row_bytes, static_cast<size_t>(count) * row_bytes);
  to_float(type, stored, out);
  if (taps_first)
    put_inputs_first(out, static_cast<size_t>(shape[1]), static_cast<size_t>(shape[2]));
  if (!block_scales.empty()) multiply_blocks(first, out);
  for (int64_t row = 0; row < count && !row_scales.empty(); ++row) {
    const float scale = row_scales[static_cast<size_t>(first + row)];
    for (float& number :
         out.subspan(static_cast<size_t>(row * width), static_cast<size_t>(width))) {
      number *= scale;
    }
  }
  restore_columns(out);
}

void TensorView::restore_columns(std::span<float> rows) const {
  const auto width = static_cast<size_t>(row_size());
  if (spread) ColumnSpreading(width).apply(rows);
  for (size_t first = 0; first < rows.size(); first += width) {
    const std::span<float> row = rows.subspan(first, width);
    for (size_t i = 0; i < column_factors.size(); ++i) row[i] *= column_factors[i];
    for (size_t i = 0; i < column_offsets.size(); ++i) row[i] += column_offsets[i];
  }
}

void TensorView::multiply_blocks(int64_t first, std::span<float> out) const {
  const size_t row_bytes = block_scales.size() / static_cast<size_t>(rows());
  const auto width = static_cast<size_t>(row_size());
  const size_t blocks = row_bytes / sizeof(uint16_t);
  std::vector<float> scales(out.size() / width * blocks);
  to_float(StorageType::f16,
           block_scales.subspan(static_cast<size_t>(first) * row_bytes, scales.size() * 2), scales);
  for (size_t i = 0; i < out.size(); ++i) out[i] *= scales[i / (width / blocks)];
}

template <typename Visit>
void TensorView::for_parts(int64_t first, int64_t count, Visit visit) const {
  for (const TensorView& part : parts) {
    if (count == 0) return;
    if (first < part.rows()) {
      const int64_t rows = std::min(count, part.rows() - first);
      visit(part, first, rows);
      first += rows;
      count -= rows;
    }
    first -= part.rows();
  }
}

void TensorView::release_rows(int64_t first, int64_t count) const {
  for_parts(first, count, [](const TensorView& part, int64_t row, int64_t rows) {
    part.release_rows(row, rows);
  });
  if (file == nullptr || !parts.empty()) return;
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
