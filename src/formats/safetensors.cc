#include "formats/safetensors.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <utility>

#include "checkpoint/large_json.h"
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
};

// {"name": {"dtype": "F16", "shape": [..], "data_offsets": [begin, end]}, "__metadata__": {..}}
class HeaderReader {
 public:
  HeaderReader(const std::string& source, std::string_view text) : json_(source, text) {}

  std::vector<Entry> read() {
    json_.read([&](JsonValue& root) {
      json_.for_fields(root, "the header", [&](std::string_view name, JsonValue& value) {
        if (name == "__metadata__") return skip_metadata(value);
        if (entries_.size() == kMaxTensors) {
          fail("{} has more than {} tensors.", json_.source(), kMaxTensors);
        }
        entries_.push_back({.name = std::string(name)});
        read_entry(entries_.back(), value);
      });
    });
    return std::move(entries_);
  }

 private:
  void skip_metadata(JsonValue& metadata) {
    json_.for_fields(metadata, "__metadata__", [&](std::string_view, JsonValue& value) {
      (void)json_.text_of(value, "__metadata__");
    });
  }

  void read_entry(Entry& entry, JsonValue& value) {
    bool has_shape = false;
    const auto place = [&](std::string_view field) {
      return fmt::format("{} of tensor {}", field, entry.name);
    };
    json_.for_fields(value, place("the entry"), [&](std::string_view field, JsonValue& inner) {
      if (field == "dtype" && entry.dtype.empty()) {
        entry.dtype = json_.text_of(inner, place(field));
      } else if (field == "shape" && !std::exchange(has_shape, true)) {
        read_shape(entry, inner, place(field));
      } else if (field == "data_offsets" && entry.offsets.empty()) {
        read_offsets(entry, inner, place(field));
      } else {
        json_.unexpected(inner, place(field));
      }
    });
    if (entry.dtype.empty() || !has_shape || entry.offsets.size() != 2) {
      fail("{}: tensor {} lacks dtype, shape or data_offsets.", json_.source(), entry.name);
    }
  }

  void read_shape(Entry& entry, JsonValue& list, const std::string& place) {
    json_.for_values(list, place, [&](JsonValue& value) {
      const uint64_t extent = json_.number_of(value, place);
      if (entry.shape.size() == kMaxRank || extent > INT64_MAX) {
        json_.unexpected("an absurd extent", place);
      }
      entry.shape.push_back(static_cast<int64_t>(extent));
    });
  }

  void read_offsets(Entry& entry, JsonValue& list, const std::string& place) {
    json_.for_values(list, place, [&](JsonValue& value) {
      if (entry.offsets.size() == 2) json_.unexpected("a third number", place);
      entry.offsets.push_back(json_.number_of(value, place));
    });
  }

  LargeJson json_;
  std::vector<Entry> entries_;
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
  std::vector<Entry> entries =
      HeaderReader(source, {reinterpret_cast<const char*>(bytes.data()) + 8, header_size}).read();
  check_duplicates(entries, source);

  const auto data = bytes.subspan(8 + header_size);
  check_complete(entries, bytes.size(), 8 + header_size, source);
  std::ranges::stable_sort(entries, {}, [](const Entry& e) { return e.offsets[0]; });
  std::vector<TensorView> tensors;
  tensors.reserve(entries.size());
  uint64_t end_of_previous = 0;
  for (Entry& entry : entries) {
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
