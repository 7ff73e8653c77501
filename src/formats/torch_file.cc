#include "formats/torch_file.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <optional>

#include "checkpoint/layout.h"
#include "checkpoint/storage.h"
#include "checkpoint/warnings.h"
#include "common/fail.h"
#include "common/file_kind.h"
#include "formats/byte_reader.h"
#include "formats/pickle.h"
#include "formats/zip_archive.h"

namespace whisper_s4y {
namespace {

using Kind = PickleValue::Kind;

// torch/serialization.py: MAGIC_NUMBER 0x1950a86a20f9469cfc6c, pickled with protocol 2 as LONG1.
constexpr std::string_view kMagicNumber("\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", 10);
struct StorageClass {
  std::string_view name;
  uint64_t size;                    // bytes of an element
  std::optional<StorageType> type;  // none: never part of a Whisper model
};
constexpr StorageClass kClasses[] = {
    {"FloatStorage", 4, StorageType::f32},     {"HalfStorage", 2, StorageType::f16},
    {"BFloat16Storage", 2, StorageType::bf16}, {"DoubleStorage", 8, StorageType::f64},
    {"LongStorage", 8, std::nullopt},          {"IntStorage", 4, std::nullopt},
    {"ShortStorage", 2, std::nullopt},         {"CharStorage", 1, std::nullopt},
    {"ByteStorage", 1, std::nullopt},          {"BoolStorage", 1, std::nullopt},
};

constexpr uint64_t kMaxStorage = uint64_t{1}
                                 << 44;  // bytes; times the number of values no overflow

const StorageClass& class_of(const PickleValue& storage) {
  const auto* found = std::ranges::find(kClasses, storage.storage_class, &StorageClass::name);
  if (found == std::end(kClasses)) fail("Unknown storage class {}.", storage.storage_class);
  return *found;
}

using StorageBytes = std::map<std::string, std::span<const std::byte>, std::less<>>;

bool is_contiguous(const PickleValue& tensor) {
  int64_t expected = 1;
  for (size_t axis = tensor.shape.size(); axis-- > 0;) {
    if (tensor.shape[axis] != 1 && tensor.strides[axis] != expected) return false;
    expected *= tensor.shape[axis];
  }
  return true;
}

// Numbers in the order of the strides, e.g. of a transposed tensor, copied into rows.
std::shared_ptr<const std::vector<std::byte>> copy_strided(const PickleValue& tensor,
                                                           uint64_t elements, uint64_t size,
                                                           std::span<const std::byte> storage) {
  auto copy = std::make_shared<std::vector<std::byte>>(elements * size);
  std::vector<int64_t> index(tensor.shape.size(), 0);
  int64_t at = tensor.integer;
  for (uint64_t i = 0; i < elements; ++i) {
    std::memcpy(copy->data() + i * size, storage.data() + static_cast<uint64_t>(at) * size, size);
    for (size_t axis = index.size(); axis-- > 0;) {
      // Only steps that are taken: the stride of an axis of one number can be anything.
      if (index[axis] + 1 < tensor.shape[axis]) {
        ++index[axis];
        at += tensor.strides[axis];
        break;
      }
      at -= tensor.strides[axis] * index[axis];
      index[axis] = 0;
    }
  }
  return copy;
}

// `copy_budget`: bytes that may still be copied. Every number of a file is copied at most once, or
// a small file could ask for any amount of memory.
TensorView view_of(const std::string& name, const PickleValue& tensor, const StorageBytes& storages,
                   const std::shared_ptr<const MappedFile>& file, uint64_t& copy_budget,
                   const std::string& source) {
  const PickleValue& storage = *tensor.items[0];
  const StorageClass& kind = class_of(storage);
  if (!kind.type) {
    static_cast<void>(checked_elements(tensor.shape, source, name));
    return {.name = name, .other_type = std::string(kind.name), .shape = tensor.shape};
  }
  const auto found = storages.find(storage.text);
  if (found == storages.end()) {
    fail("{}: tensor {} is in the storage {}, which is not there.", source, name, storage.text);
  }
  const auto bytes = found->second;
  const auto stored = static_cast<uint64_t>(storage.integer);
  if (bytes.size() / kind.size != stored || bytes.size() % kind.size != 0) {
    fail("{}: the storage {} of tensor {} has {} bytes, expected {} numbers of {}.", source,
         storage.text, name, bytes.size(), stored, kind.size);
  }
  const uint64_t elements = checked_elements(tensor.shape, source, name);
  // Step by step to the last number used, with divisions that cannot wrap around.
  auto last = static_cast<uint64_t>(tensor.integer);
  bool fits = elements > 0 && elements <= stored && last < stored;
  for (size_t axis = 0; fits && axis < tensor.shape.size(); ++axis) {
    const auto steps = static_cast<uint64_t>(tensor.shape[axis] - 1);
    const auto stride = static_cast<uint64_t>(tensor.strides[axis]);
    fits = steps == 0 || stride <= (stored - 1 - last) / steps;
    if (fits) last += steps * stride;
  }
  if (!fits) {
    fail("{}: tensor {} of shape {} from number {} on does not fit in its storage of {} numbers.",
         source, name, to_string(tensor.shape), tensor.integer, stored);
  }
  TensorView view{.name = name, .type = *kind.type, .shape = tensor.shape};
  if (is_contiguous(tensor)) {
    view.bytes =
        bytes.subspan(static_cast<uint64_t>(tensor.integer) * kind.size, elements * kind.size);
    view.file = file;
  } else {
    if (elements * kind.size > copy_budget) {
      fail("{}: the tensors up to {} in changed order are larger than the file.", source, name);
    }
    copy_budget -= elements * kind.size;
    view.copy = copy_strided(tensor, elements, kind.size, bytes);
    view.bytes = *view.copy;
  }
  return view;
}

const PickleValue& find_state_dict(const PickleValue& root, const std::string& source) {
  if (root.kind != Kind::dict) fail("{} is not a state dict but another object.", source);
  for (const char* name : {"model_state_dict", "state_dict"}) {
    const PickleValue* nested = root.find(name);
    if (nested != nullptr && nested->kind == Kind::dict) return *nested;
  }
  return root;
}

void read_dims(const PickleValue& root, TorchFile& result, const std::string& source) {
  const PickleValue* dims = root.find("dims");
  if (dims == nullptr) return;
  if (dims->kind != Kind::dict) fail("{}: dims is not a dict.", source);
  for (const auto& [key, value] : dims->entries) {
    if (key->kind != Kind::string || value->kind != Kind::integer) {
      fail("{}: dims is not a dict of numbers.", source);
    }
    result.dims.emplace_back(std::string(key->text), value->integer);
  }
}

TorchFile assemble(const PickleValue& root, const StorageBytes& storages,
                   const std::shared_ptr<const MappedFile>& file, const std::string& source) {
  TorchFile result;
  const PickleValue& state = find_state_dict(root, source);
  read_dims(root, result, source);
  uint64_t copy_budget = file->bytes().size();
  for (const auto& [key, value] : state.entries) {
    if (key->kind != Kind::string || value->kind != Kind::tensor) {
      fail("{} is not a state dict: {} is not a tensor.", source,
           key->kind == Kind::string ? key->text : std::string_view("an entry"));
    }
    result.tensors.push_back(
        view_of(std::string(key->text), *value, storages, file, copy_budget, source));
  }
  return result;
}

// The first entry is data.pkl, which says how large the storages after it are.
uint64_t bytes_of_storages(std::span<const std::byte> zip, const std::string& source) {
  constexpr uint64_t kBeforeNameLength = 26;
  ByteReader bytes(zip, source);
  bytes.take(kBeforeNameLength, "the first entry");
  const auto name_length = bytes.read<uint16_t>("the first entry");
  const auto extra_length = bytes.read<uint16_t>("the first entry");
  bytes.take(uint64_t{name_length} + extra_length, "the first entry");
  PickleReader reader(bytes);
  reader.read();
  std::map<std::string_view, uint64_t> sizes;
  for (const PickleValue* storage : reader.storages()) {
    const uint64_t size = class_of(*storage).size;
    const auto count = static_cast<uint64_t>(storage->integer);
    sizes[storage->text] = std::min(count, kMaxStorage / size) * size;
  }
  uint64_t sum = 0;
  for (const auto& [key, size] : sizes) sum += size;
  return sum;
}

[[noreturn]] void refuse_truncated(std::span<const std::byte> zip, const std::string& source) {
  uint64_t whole = 0;
  Warnings unknown;  // then the sentence does without the size
  read_optional(unknown, "", [&] { whole = bytes_of_storages(zip, source); });
  fail("{} is truncated: {}; download the file again.", source,
       whole > zip.size() ? fmt::format("{} are there", part_of_bytes(zip.size(), whole))
                          : "it begins as a ZIP but has no directory at its end");
}

TorchFile read_zip(const std::shared_ptr<const MappedFile>& file, const std::string& source) {
  if (!ZipArchive::has_directory(file->bytes())) refuse_truncated(file->bytes(), source);
  const ZipArchive archive(file->bytes(), source);
  const std::string pickle_name(archive.find_ending("data.pkl"));
  const std::string folder = pickle_name.substr(0, pickle_name.size() - 8);
  if (archive.has(folder + "byteorder")) {
    const auto order = archive.checked_entry(folder + "byteorder");
    const std::string_view text(reinterpret_cast<const char*>(order.data()), order.size());
    if (text != "little") fail("{}: the byte order is {}, expected little.", source, text);
  }
  ByteReader bytes(archive.checked_entry(pickle_name), fmt::format("{} ({})", source, pickle_name));
  PickleReader reader(bytes);
  const PickleValue& root = reader.read();
  return assemble(root, archive.entries_under(folder + "data/"), file, source);
}

// Five pickles (magic number, protocol, machine, object, keys of the storages), then the storages
// in the order of their keys, each after its number of elements (torch/serialization.py:
// _legacy_save).
TorchFile read_legacy(const std::shared_ptr<const MappedFile>& file, const std::string& source) {
  ByteReader bytes(file->bytes(), source);
  PickleReader header(bytes);
  const PickleValue& magic = header.read();
  if (magic.kind != Kind::string || magic.text != kMagicNumber) {
    fail("{} does not begin with PyTorch's magic number.", source);
  }
  const PickleValue& protocol = header.read();
  if (protocol.kind != Kind::integer || protocol.integer != 1001) {
    fail("{} has a PyTorch protocol other than 1001.", source);
  }
  const PickleValue& machine = header.read();
  const PickleValue* little = machine.find("little_endian");
  if (little == nullptr || little->kind != Kind::boolean || little->integer != 1) {
    fail("{} was not saved by a little-endian machine.", source);
  }
  PickleReader body(bytes);
  const PickleValue& root = body.read();
  PickleReader tail(bytes);
  const PickleValue& keys = tail.read();
  if (keys.kind != Kind::list) fail("{}: the storages have no list of keys.", source);

  std::map<std::string, uint64_t, std::less<>> sizes;  // bytes of an element
  for (const PickleValue* storage : body.storages()) {
    sizes.emplace(std::string(storage->text), class_of(*storage).size);
  }
  StorageBytes storages;
  for (const PickleValue* key : keys.items) {
    if (key->kind != Kind::string) fail("{}: a storage key is not a string.", source);
    const auto found = sizes.find(key->text);
    if (found == sizes.end()) fail("{}: the storage {} is not used.", source, key->text);
    const auto elements = bytes.read<uint64_t>("a storage");
    if (elements > bytes.remaining() / found->second) {
      fail("{} is truncated: storage {} at byte {} has {} numbers of {} bytes, {} bytes are left.",
           source, key->text, bytes.offset(), elements, found->second, bytes.remaining());
    }
    const auto data = bytes.take(elements * found->second, "a storage");
    if (!storages.emplace(std::string(key->text), data).second) {
      fail("{}: the storage {} appears twice.", source, key->text);
    }
  }
  if (bytes.remaining() > 0) {
    fail("{}: {} bytes follow the last storage at byte {}.", source, bytes.remaining(),
         bytes.offset());
  }
  return assemble(root, storages, file, source);
}

}  // namespace

TorchFile read_torch_file(const std::filesystem::path& path) {
  const auto file = std::make_shared<const MappedFile>(path);
  if (kind_of(file->bytes()) != FileKind::torch) {
    fail("{} is not a file of torch.save.", path.string());
  }
  constexpr std::byte kZipStart{'P'};
  return file->bytes()[0] == kZipStart ? read_zip(file, path.string())
                                       : read_legacy(file, path.string());
}

}  // namespace whisper_s4y
