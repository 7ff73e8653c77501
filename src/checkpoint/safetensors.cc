#include "checkpoint/safetensors.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>

#include "checkpoint/json_sax.h"
#include "checkpoint/layout.h"
#include "checkpoint/storage.h"
#include "common/fail.h"
#include "common/file_kind.h"

namespace whisper_s4y {
namespace {

constexpr uint64_t kMaxHeader = 4 << 20;  // 20 times that of the largest Whisper
constexpr size_t kMaxRank = 8;
constexpr uint64_t kMaxBytes = uint64_t{1} << 44;  // of a file; times kMaxTensors does not wrap

struct Entry {
  std::string name;
  std::string dtype;
  std::vector<int64_t> shape;
  std::vector<uint64_t> offsets;
  bool has_shape = false;
};

// {"name": {"dtype": "F16", "shape": [..], "data_offsets": [begin, end]}, "__metadata__": {..}}
class HeaderReader : public JsonEvents {
 public:
  using JsonEvents::JsonEvents;
  std::vector<Entry> entries;

  bool start_object(std::size_t) override {
    if (depth_ == 2 || list_ != nullptr || (depth_ == 1 && !field_.empty()))
      unexpected("an object");
    ++depth_;
    return true;
  }
  bool end_object() override {
    --depth_;
    if (depth_ == 1 && !metadata_) check_complete(entries.back());
    if (depth_ == 1) metadata_ = false;
    return true;
  }
  bool key(string_t& name) override {
    if (depth_ == 1) {
      metadata_ = name == "__metadata__";
      if (metadata_) return true;
      if (entries.size() == kMaxTensors) {
        fail("{} has more than {} tensors.", source(), kMaxTensors);
      }
      entries.push_back({.name = name});
    } else {
      field_ = name;
    }
    return true;
  }
  bool string(string_t& text) override {
    if (depth_ != 2) unexpected("a string");
    if (metadata_) return done();
    if (field_ != "dtype" || !entries.back().dtype.empty()) unexpected("a string");
    entries.back().dtype = text;
    return done();
  }
  bool start_array(std::size_t) override {
    if (depth_ != 2 || metadata_ || list_ != nullptr) unexpected("a list");
    Entry& entry = entries.back();
    if (field_ == "shape" && !entry.has_shape) {
      entry.has_shape = true;
    } else if (field_ != "data_offsets" || !entry.offsets.empty()) {
      unexpected("a list");
    }
    list_ = &entry;
    return true;
  }
  bool end_array() override {
    list_ = nullptr;
    return done();
  }
  bool number_unsigned(number_unsigned_t number) override {
    if (list_ == nullptr) unexpected("a number");
    if (field_ == "data_offsets") {
      if (list_->offsets.size() == 2) unexpected("a third number");
      list_->offsets.push_back(number);
    } else {
      if (list_->shape.size() == kMaxRank || number > INT64_MAX) unexpected("an absurd extent");
      list_->shape.push_back(static_cast<int64_t>(number));
    }
    return true;
  }

 protected:
  [[nodiscard]] std::string place() const override {
    if (metadata_) return "__metadata__";
    if (entries.empty()) return "the header";
    return fmt::format("{} of tensor {}", field_.empty() ? "the entry" : field_,
                       entries.back().name);
  }

 private:
  bool done() {
    field_.clear();
    return true;
  }
  void check_complete(const Entry& entry) const {
    if (entry.dtype.empty() || !entry.has_shape || entry.offsets.size() != 2) {
      fail("{}: tensor {} lacks dtype, shape or data_offsets.", source(), entry.name);
    }
  }

  int depth_ = 0;
  bool metadata_ = false;
  std::string field_;
  Entry* list_ = nullptr;
};

std::optional<StorageType> storage_type(std::string_view dtype) {
  if (dtype == "F64") return StorageType::f64;
  if (dtype == "F32") return StorageType::f32;
  if (dtype == "F16") return StorageType::f16;
  if (dtype == "BF16") return StorageType::bf16;
  return std::nullopt;
}

// Tensors one after the other, the last of which end after the file: the rest of it is missing.
void check_complete(const std::vector<Entry>& entries, uint64_t there, uint64_t data,
                    const std::string& source) {
  uint64_t sum = 0;
  uint64_t end = 0;
  for (const Entry& entry : entries) {
    const uint64_t begin = entry.offsets[0];
    if (begin > entry.offsets[1] || entry.offsets[1] > kMaxBytes) return;
    sum += entry.offsets[1] - begin;
    end = std::max(end, entry.offsets[1]);
  }
  if (sum != end || data + end <= there) return;
  fail("{} is truncated: {} are there; download the file again.", source,
       part_of_bytes(there, data + end));
}

void check_duplicates(const std::vector<Entry>& entries, const std::string& source) {
  std::vector<std::string_view> names;
  names.reserve(entries.size());
  for (const Entry& entry : entries) names.push_back(entry.name);
  std::ranges::sort(names);
  const auto duplicate = std::ranges::adjacent_find(names);
  if (duplicate != names.end()) fail("{}: tensor {} appears twice.", source, *duplicate);
}

}  // namespace

std::vector<TensorView> read_safetensors(const std::filesystem::path& path) {
  const auto file = std::make_shared<const MappedFile>(path);
  std::vector<TensorView> tensors = read_safetensors(file->bytes(), path.string());
  for (TensorView& tensor : tensors) tensor.file = file;
  return tensors;
}

std::vector<TensorView> read_safetensors(std::span<const std::byte> bytes,
                                         const std::string& source) {
  uint64_t header_size = 0;
  if (bytes.size() < sizeof(header_size)) {
    fail("{} is truncated: {} bytes are no safetensors file.", source, bytes.size());
  }
  std::memcpy(&header_size, bytes.data(), sizeof(header_size));
  if (header_size <= kMaxHeader && header_size > bytes.size() - 8) {
    fail("{} is truncated: {} bytes of a header of {} are there; download the file again.", source,
         bytes.size() - 8, header_size);
  }
  if (header_size > kMaxHeader) {
    fail("{}: the header is said to have {} bytes, the file has {} (the limit is {}).", source,
         header_size, bytes.size(), kMaxHeader);
  }
  HeaderReader header(source);
  header.parse({reinterpret_cast<const char*>(bytes.data()) + 8, header_size});
  check_duplicates(header.entries, source);

  const auto data = bytes.subspan(8 + header_size);
  check_complete(header.entries, bytes.size(), 8 + header_size, source);
  std::ranges::stable_sort(header.entries, {}, [](const Entry& e) { return e.offsets[0]; });
  std::vector<TensorView> tensors;
  tensors.reserve(header.entries.size());
  uint64_t end_of_previous = 0;
  for (Entry& entry : header.entries) {
    const auto type = storage_type(entry.dtype);
    const uint64_t elements = checked_elements(entry.shape, source, entry.name);
    const uint64_t begin = entry.offsets[0];
    const uint64_t end = entry.offsets[1];
    if (begin > end || end > data.size()) {
      fail("{}: tensor {} lies at bytes {} to {} of {} bytes of data.", source, entry.name, begin,
           end, data.size());
    }
    if (type && end - begin != stored_bytes(*type, elements)) {
      fail("{}: tensor {} of shape {} and type {} needs {} bytes, bytes {} to {} are {}.", source,
           entry.name, to_string(entry.shape), entry.dtype, stored_bytes(*type, elements), begin,
           end, end - begin);
    }
    if (begin < end_of_previous) {
      fail("{}: tensor {} at byte {} overlaps {}, which ends at byte {}.", source, entry.name,
           begin, tensors.back().name, end_of_previous);
    }
    end_of_previous = end;
    TensorView tensor{.name = std::move(entry.name), .shape = std::move(entry.shape)};
    if (type) {
      tensor.type = *type;
      tensor.bytes = data.subspan(begin, end - begin);
    } else {
      tensor.other_type = std::move(entry.dtype);
    }
    tensors.push_back(std::move(tensor));
  }
  if (end_of_previous != data.size()) {
    fail("{}: {} bytes follow the last tensor at byte {}.", source, data.size() - end_of_previous,
         8 + header_size + end_of_previous);
  }
  return tensors;
}

}  // namespace whisper_s4y
