#include "export/export_checkpoint.h"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <vector>

#include "checkpoint/layout.h"
#include "checkpoint/side_file.h"
#include "checkpoint/source_files.h"
#include "checkpoint/storage.h"
#include "checkpoint/tensor_rows.h"
#include "common/fail.h"
#include "common/half.h"
#include "export/writers.h"
#include "vocabulary/standard_vocabulary.h"

namespace whisper_s4y {
namespace {

std::vector<uint16_t> to_halves(std::span<const float> numbers) {
  std::vector<uint16_t> halves(numbers.size());
  float_to_half(numbers, halves);
  return halves;
}

bool fits_half(const TensorView& tensor) {
  if (tensor.is_stored_as(StorageType::f16)) return true;
  bool fits = true;
  for_each_rows(*rows_of(tensor), [&](int64_t, std::span<const float> numbers) {
    if (!fits) return;
    std::vector<float> back(numbers.size());
    half_to_float(to_halves(numbers), back);
    fits = std::ranges::equal(numbers, back);
  });
  return fits;
}

// Links lead to weights that lie elsewhere, perhaps here.
void check_output_folder(const Checkpoint& checkpoint, const std::filesystem::path& dir) {
  std::error_code error;
  if (std::filesystem::equivalent(dir, folder_of(checkpoint.path), error)) {
    fail("{} is the folder of the checkpoint itself; export into another one.", dir.string());
  }
  const SourceFiles sources(checkpoint);
  for (const auto& entry : std::filesystem::directory_iterator(dir, error)) {
    if (sources.find(entry.path())) {
      fail("{} is a file of the checkpoint itself; export into another folder than {}.",
           entry.path().string(), dir.string());
    }
  }
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
  for_each_rows(*rows_of(tensor), [&](int64_t, std::span<const float> numbers) {
    if (type == StorageType::f32) {
      take(std::as_bytes(numbers));
    } else {
      const std::vector<uint16_t> halves = to_halves(numbers);
      take(std::as_bytes(std::span(halves)));
    }
  });
}

std::string file_name_of(std::string_view model_name) {
  constexpr size_t kLongest = 100;
  std::string name;
  for (const char c : model_name.substr(0, kLongest)) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = std::isalnum(byte) != 0 || c == '.' || c == '_' || c == '-';
    if (name.empty() && c == '.') continue;
    name += plain ? c : '-';
  }
  return name.find_first_not_of("-.") == std::string::npos ? "whisper" : name;
}

void check_tied(const Checkpoint& checkpoint, const std::filesystem::path& path) {
  if (!checkpoint.has(kOutputMatrix)) return;
  fail(
      "{} would lose {}, an output matrix that is not the token embedding: export the model as "
      "safetensors or ctranslate2.",
      path.string(), kOutputMatrix);
}

void check_no_more_tokens(const ModelInfo& info, const std::filesystem::path& path) {
  const auto end = static_cast<size_t>(info.generation.timestamp_begin()) + kTimestampTokens;
  const std::vector<std::string>& tokens = info.vocabulary.tokens;
  if (tokens.size() <= end) return;
  fail(
      "{} would lose {} tokens from id {}{} on: the format knows none after the timestamps; export "
      "the model as safetensors or ctranslate2.",
      path.string(), tokens.size() - end, end,
      tokens[end].empty() ? "" : fmt::format(", \"{}\",", tokens[end]));
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
  const bool is_new = std::filesystem::create_directories(dir, error);
  if (error) fail("Cannot create the folder {}: {}.", dir.string(), error.message());
  check_output_folder(checkpoint, dir);
  try {
    writer->write(checkpoint, dir);
  } catch (...) {
    if (is_new) std::filesystem::remove(dir, error);  // only an empty one goes
    throw;
  }
}

}  // namespace whisper_s4y
