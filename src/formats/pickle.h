// A reader for the pickles of torch.save that builds data and never runs code.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/byte_reader.h"

namespace whisper_s4y {

/// A value of a pickle. Values are owned by the PickleReader and refer to each other by pointers,
/// so that cycles and deep nesting do no harm. Texts are views into the bytes that are read.
struct PickleValue {
  enum class Kind {
    none,
    boolean,
    integer,
    real,
    string,
    tuple,
    list,
    dict,
    global,
    storage,
    tensor
  };

  Kind kind = Kind::none;
  int64_t integer = 0;  // also of booleans; number of elements of a storage; offset of a tensor
  double real = 0;
  std::string_view text;  // string; name of a global; key of a storage; lies in the pickle
  std::vector<const PickleValue*> items;  // tuple, list; the storage of a tensor
  std::vector<std::pair<const PickleValue*, const PickleValue*>> entries;  // dict
  std::string_view storage_class;       // storage: "FloatStorage"
  std::vector<int64_t> shape, strides;  // tensor, in elements

  /// The value of a string key of a dict, or null.
  [[nodiscard]] const PickleValue* find(std::string_view key) const;
};

/// Reads pickles of protocol 2 with the operations and globals that state dicts need: collections,
/// numbers, strings, OrderedDict, torch storages and tensors. Throws Error naming the byte for
/// everything else, and for pickles longer than any state dict.
class PickleReader {
 public:
  /// Keeps `reader` to read from; it stands behind the pickle afterwards.
  explicit PickleReader(ByteReader& reader) : reader_(reader) {}

  /// The next pickle. Its values live as long as this PickleReader.
  const PickleValue& read();

  /// All storages met so far.
  [[nodiscard]] const std::vector<const PickleValue*>& storages() const { return storages_; }

 private:
  using Kind = PickleValue::Kind;

  bool step();  // false after STOP
  [[noreturn]] void refuse(std::string_view what) const;

  PickleValue* make(Kind kind);
  void push(PickleValue* value) { stack_.push_back(value); }
  PickleValue* pop();
  PickleValue* top(Kind kind, std::string_view what);
  std::vector<const PickleValue*> pop_to_mark();
  void push_integer(int64_t value);
  void push_string(uint64_t length);
  void push_tuple(std::vector<const PickleValue*> items);
  void push_long();
  void put(uint32_t index);
  void get(uint32_t index);
  void append(const std::vector<const PickleValue*>& items);
  void set_items(const std::vector<const PickleValue*>& items);
  void push_global();
  void reduce();
  void push_storage();
  PickleValue* rebuild_tensor(const std::vector<const PickleValue*>& arguments);
  std::string_view line();

  ByteReader& reader_;
  uint64_t at_ = 0;                  // offset of the current operation
  uint32_t operations_ = 0;          // done so far
  std::deque<PickleValue> values_;   // stable addresses
  std::vector<PickleValue*> stack_;  // null = a mark
  std::vector<PickleValue*> memo_;
  std::vector<const PickleValue*> storages_;
};

}  // namespace whisper_s4y
