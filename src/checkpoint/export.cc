#include "checkpoint/export.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "checkpoint/export_formats.h"
#include "checkpoint/storage.h"
#include "common/half.h"
#include "whisper_s4y/error.h"

namespace whisper_s4y {
namespace {

constexpr int64_t kPieceNumbers = 1 << 18;

// Calls `take` with the float32 values of some rows at a time.
template <typename Take>
void for_each_rows(const TensorView& tensor, Take&& take) {
  const int64_t width = tensor.row_size();
  const int64_t step = std::clamp<int64_t>(kPieceNumbers / width, 1, tensor.rows());
  std::vector<float> piece(static_cast<size_t>(step * width));
  for (int64_t row = 0; row < tensor.rows(); row += step) {
    const int64_t count = std::min(step, tensor.rows() - row);
    const auto numbers = std::span(piece).first(static_cast<size_t>(count * width));
    tensor.read_rows(row, count, numbers);
    tensor.release_rows(row, count);
    take(std::span<const float>(numbers));
  }
}

std::vector<uint16_t> to_halves(std::span<const float> numbers) {
  std::vector<uint16_t> halves(numbers.size());
  float_to_half(numbers, halves);
  return halves;
}

bool fits_half(const TensorView& tensor) {
  if (tensor.is_stored_as(StorageType::f16)) return true;
  bool fits = true;
  for_each_rows(tensor, [&](std::span<const float> numbers) {
    if (!fits) return;
    std::vector<float> back(numbers.size());
    half_to_float(to_halves(numbers), back);
    fits = std::ranges::equal(numbers, back);
  });
  return fits;
}

}  // namespace

StorageType export_type(const Checkpoint& checkpoint) {
  const auto all = [&](auto&& test) {
    return std::ranges::all_of(checkpoint.tensors,
                               [&](const auto& entry) { return test(entry.second); });
  };
  if (all([](const TensorView& tensor) { return tensor.is_stored_as(StorageType::bf16); })) {
    return StorageType::bf16;
  }
  return all(fits_half) ? StorageType::f16 : StorageType::f32;
}

void for_each_piece(const TensorView& tensor, StorageType type,
                    const std::function<void(std::span<const std::byte>)>& take) {
  if (tensor.is_stored_as(type)) {
    take(tensor.bytes);
    tensor.release_rows(0, tensor.rows());
    return;
  }
  if (type != StorageType::f16 && type != StorageType::f32) {
    fail("Cannot write tensor {} of type {} as {}.", tensor.name, name_of(tensor.type),
         name_of(type));
  }
  for_each_rows(tensor, [&](std::span<const float> numbers) {
    if (type == StorageType::f32) {
      take(std::as_bytes(numbers));
    } else {
      const std::vector<uint16_t> halves = to_halves(numbers);
      take(std::as_bytes(std::span(halves)));
    }
  });
}

void write_text(const std::filesystem::path& path, std::string_view text) {
  OutputFile file(path);
  file.write(text);
  file.commit();
}

void export_checkpoint(const Checkpoint& checkpoint, const std::filesystem::path& dir,
                       std::string_view format) {
  struct Writer {
    std::string_view format;
    void (*write)(const Checkpoint&, const std::filesystem::path&);
  };
  constexpr Writer kWriters[] = {{"safetensors", export_safetensors},
                                 {"openai", export_openai},
                                 {"ggml", export_ggml},
                                 {"ctranslate2", export_ctranslate2}};
  const auto* writer = std::ranges::find(kWriters, format, &Writer::format);
  if (writer == std::end(kWriters)) {
    fail("Unknown checkpoint format \"{}\": expected safetensors, openai, ggml or ctranslate2.",
         format);
  }
  std::error_code error;
  std::filesystem::create_directories(dir, error);
  if (error) fail("Cannot create the folder {}: {}.", dir.string(), error.message());
  writer->write(checkpoint, dir);
}

}  // namespace whisper_s4y
