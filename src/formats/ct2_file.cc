#include "formats/ct2_file.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "checkpoint/layout.h"
#include "checkpoint/storage.h"
#include "common/fail.h"
#include "formats/byte_reader.h"

namespace whisper_s4y {
namespace {

constexpr uint32_t kOldestVersion = 2;
constexpr uint32_t kNewestVersion = 6;
constexpr uint32_t kFirstWithAliases = 3;
constexpr uint32_t kFirstWithTypes = 4;
constexpr uint8_t kMaxRank = 8;

std::string read_string(ByteReader& reader, std::string_view what) {
  const auto length = reader.read<uint16_t>(what);
  const uint64_t offset = reader.offset();
  const std::string_view text = reader.text(length, what);
  if (text.empty() || text.find('\0') != text.size() - 1) {
    fail("{}: {} at byte {} is not a string that ends with NUL.", reader.source(), what, offset);
  }
  return std::string(text.substr(0, text.size() - 1));
}

uint32_t read_count(ByteReader& reader, std::string_view what) {
  const auto count = reader.read<uint32_t>(fmt::format("the number of {}", what));
  if (count > kMaxTensors) {
    fail("{} is said to have {} {}, more than any model.", reader.source(), count, what);
  }
  return count;
}

std::optional<uint64_t> item_size(uint8_t type) {
  constexpr uint64_t kSizes[] = {4, 1, 2, 4, 2, 2};
  return type < std::size(kSizes) ? std::optional(kSizes[type]) : std::nullopt;
}

// Before type ids the size of an item stood for its type.
std::optional<uint8_t> type_of_size(uint8_t size) {
  if (size == 4) return 0;
  if (size == 1) return 1;
  if (size == 2) return 2;
  return std::nullopt;
}

}  // namespace

Ct2File::Ct2File(const std::filesystem::path& path)
    : file_(std::make_shared<const MappedFile>(path)), source_(path.string()) {
  ByteReader reader(file_->bytes(), source_);
  const auto version = reader.read<uint32_t>("the binary version");
  if (version < kOldestVersion || version > kNewestVersion) {
    fail("{} has the CTranslate2 binary version {}, expected {} to {}.", source_, version,
         kOldestVersion, kNewestVersion);
  }
  const std::string spec = read_string(reader, "the name of the specification");
  if (spec != "WhisperSpec") {
    fail("{} is a CTranslate2 model of type {}, expected WhisperSpec.", source_, spec);
  }
  reader.read<uint32_t>("the revision");
  read_variables(reader, version);
  if (version >= kFirstWithAliases) read_aliases(reader);
  if (reader.remaining() > 0) {
    fail("{}: {} bytes follow the last entry at byte {}.", source_, reader.remaining(),
         reader.offset());
  }
}

void Ct2File::read_variables(ByteReader& reader, uint32_t version) {
  const auto count = read_count(reader, "variables");
  for (uint32_t i = 0; i < count; ++i) {
    const std::string name = read_string(reader, "the name of a variable");
    Variable variable;
    const auto rank = reader.read<uint8_t>(name);
    if (rank > kMaxRank) fail("{}: variable {} has {} dimensions.", source_, name, rank);
    for (uint8_t k = 0; k < rank; ++k) variable.shape.push_back(reader.read<uint32_t>(name));
    const auto type_or_size = reader.read<uint8_t>(name);
    const auto type =
        version >= kFirstWithTypes ? std::optional(type_or_size) : type_of_size(type_or_size);
    const auto size = type ? item_size(*type) : std::nullopt;
    if (!size) fail("{}: variable {} has the unknown type {}.", source_, name, type_or_size);
    variable.type = *type;
    uint64_t bytes = reader.read<uint32_t>(name);
    if (version < kFirstWithTypes) bytes *= *size;
    variable.offset = reader.offset();
    const uint64_t elements = checked_elements(variable.shape, source_, name);
    if (bytes != elements * *size) {
      fail("{}: variable {} of shape {} needs {} bytes, {} are at byte {}.", source_, name,
           to_string(variable.shape), elements * *size, bytes, variable.offset);
    }
    variable.bytes = reader.take(bytes, name);
    if (!variables_.emplace(name, std::move(variable)).second) {
      fail("{}: variable {} appears twice.", source_, name);
    }
  }
}

void Ct2File::read_aliases(ByteReader& reader) {
  const auto count = read_count(reader, "aliases");
  for (uint32_t i = 0; i < count; ++i) {
    const std::string alias = read_string(reader, "an alias");
    const std::string target = read_string(reader, "the target of an alias");
    const auto found = variables_.find(target);
    if (found == variables_.end()) {
      fail("{}: {} stands for {}, which is not there.", source_, alias, target);
    }
    if (!variables_.emplace(alias, Variable(found->second)).second) {
      fail("{}: variable {} appears twice.", source_, alias);
    }
    // An alias of a quantised weight is one of its scale, too.
    if (const auto scale = variables_.find(target + "_scale"); scale != variables_.end()) {
      variables_.emplace(alias + "_scale", Variable(scale->second));
    }
  }
}

const std::vector<int64_t>& Ct2File::shape(std::string_view name) const {
  const auto found = variables_.find(name);
  if (found == variables_.end()) fail("{} has no variable {}.", source_, name);
  return found->second.shape;
}

Ct2File::Variable Ct2File::take_variable(std::string_view name) {
  const auto found = variables_.find(name);
  if (found == variables_.end()) fail("{} has no variable {}.", source_, name);
  Variable variable = std::move(found->second);
  variables_.erase(found);
  return variable;
}

// CTranslate2 stores round(w * scale); ours is w = stored * row_scale.
std::vector<float> Ct2File::take_row_scales(const std::string& name, int64_t rows) {
  const Variable scale = take_variable(name);
  const bool single = scale.shape.empty() || scale.shape == std::vector<int64_t>{1};
  if (scale.type != 0 || (!single && scale.shape != std::vector<int64_t>{rows})) {
    fail("{}: {} of shape {} is not one float32 scale for each of {} rows.", source_, name,
         to_string(scale.shape), rows);
  }
  std::vector<float> stored(single ? 1 : static_cast<size_t>(rows));
  to_float(StorageType::f32, scale.bytes, stored);
  std::vector<float> row_scales(static_cast<size_t>(rows));
  for (size_t row = 0; row < row_scales.size(); ++row) {
    const float value = stored[single ? 0 : row];
    const float inverse = 1.0F / value;
    if (!std::isfinite(value) || !std::isfinite(inverse) || value <= 0.0F) {
      fail("{}: {} of row {} is {} (from byte {}), expected a positive number.", source_, name, row,
           value, scale.offset);
    }
    row_scales[row] = inverse;
  }
  return row_scales;
}

TensorView Ct2File::take(std::string_view name) {
  Variable variable = take_variable(name);
  constexpr std::optional<StorageType> kTypes[] = {StorageType::f32, StorageType::i8,
                                                   StorageType::i16, std::nullopt,
                                                   StorageType::f16, StorageType::bf16};
  const auto type = kTypes[variable.type];
  if (!type) fail("{}: variable {} holds int32, expected a weight.", source_, name);
  TensorView view{.name = std::string(name),
                  .type = *type,
                  .shape = std::move(variable.shape),
                  .bytes = variable.bytes,
                  .row_scales = {},
                  .file = file_};
  if (has(view.name + "_zero")) {
    fail("{}: variable {} has zero points (AWQ); convert the model without them.", source_, name);
  }
  if (*type == StorageType::i8 || *type == StorageType::i16) {
    view.row_scales = take_row_scales(view.name + "_scale", view.rows());
  }
  return view;
}

int Ct2File::take_scalar(std::string_view name) {
  const Variable variable = take_variable(name);
  const auto read = [&]<typename Number>(Number number) {
    std::memcpy(&number, variable.bytes.data(), sizeof(Number));
    return static_cast<int>(number);
  };
  if (variable.shape.empty()) {
    if (variable.type == 1) return read(int8_t{});
    if (variable.type == 2) return read(int16_t{});
    if (variable.type == 3) return read(int32_t{});
  }
  fail("{}: variable {} at byte {} is not a whole number.", source_, name, variable.offset);
}

std::vector<std::string> Ct2File::names() const {
  std::vector<std::string> names;
  for (const auto& [name, variable] : variables_) names.push_back(name);
  return names;
}

}  // namespace whisper_s4y
