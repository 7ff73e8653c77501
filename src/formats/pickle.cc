#include "formats/pickle.h"

#include <algorithm>
#include <array>
#include <bit>

#include "common/fail.h"

namespace whisper_s4y {
namespace {

// Operations of Python's pickle protocol 2 (Lib/pickletools.py names and explains them).
enum Op : uint8_t {
  kMark = '(',
  kStop = '.',
  kNone = 'N',
  kBinInt = 'J',
  kBinInt1 = 'K',
  kBinInt2 = 'M',
  kLong1 = 0x8a,
  kBinFloat = 'G',
  kBinString = 'T',
  kShortBinString = 'U',
  kBinUnicode = 'X',
  kNewTrue = 0x88,
  kNewFalse = 0x89,
  kEmptyList = ']',
  kAppend = 'a',
  kAppends = 'e',
  kEmptyTuple = ')',
  kTuple = 't',
  kTuple1 = 0x85,
  kTuple2 = 0x86,
  kTuple3 = 0x87,
  kEmptyDict = '}',
  kSetItem = 's',
  kSetItems = 'u',
  kBinGet = 'h',
  kLongBinGet = 'j',
  kBinPut = 'q',
  kLongBinPut = 'r',
  kGlobal = 'c',
  kReduce = 'R',
  kBuild = 'b',
  kBinPersId = 'Q',
  kProto = 0x80,
};

constexpr std::string_view kOrderedDict = "collections OrderedDict";
constexpr std::string_view kRebuildTensor = "torch._utils _rebuild_tensor_v2";
constexpr std::string_view kRebuildParameter = "torch._utils _rebuild_parameter";
constexpr std::string_view kTorch = "torch ";
constexpr std::array<std::string_view, 13> kGlobals = {
    kOrderedDict,        kRebuildTensor,          kRebuildParameter,     "torch FloatStorage",
    "torch HalfStorage", "torch BFloat16Storage", "torch DoubleStorage", "torch LongStorage",
    "torch IntStorage",  "torch ShortStorage",    "torch CharStorage",   "torch ByteStorage",
    "torch BoolStorage"};

constexpr size_t kMaxTensorRank = 8;
constexpr uint64_t kMaxName = 256;
// The largest Whisper takes some 60,000 operations and 40,000 values. What is above is no state
// dict and would only cost memory: at most 16 bytes an operation, 200 a value.
constexpr uint32_t kMaxOperations = 1 << 20;
constexpr size_t kMaxValues = 1 << 17;

// "FloatStorage" of "torch FloatStorage"; empty for the other globals.
std::string_view storage_of_global(std::string_view name) {
  return name.starts_with(kTorch) ? name.substr(kTorch.size()) : std::string_view();
}

}  // namespace

const PickleValue* PickleValue::find(std::string_view key) const {
  for (const auto& [name, value] : entries) {
    if (name->kind == Kind::string && name->text == key) return value;
  }
  return nullptr;
}

void PickleReader::refuse(std::string_view what) const {
  fail(
      "{}: the pickle has {} at byte {}; only plain state dicts are read. Save the model again "
      "with torch.save(model.state_dict(), ...) or as safetensors.",
      reader_.source(), what, at_);
}

const PickleValue& PickleReader::read() {
  stack_.clear();
  memo_.clear();
  while (step()) {
  }
  if (stack_.size() != 1 || stack_[0] == nullptr) refuse("an unfinished value");
  return *stack_[0];
}

PickleValue* PickleReader::make(Kind kind) {
  if (values_.size() >= kMaxValues) refuse(fmt::format("more than {} values", kMaxValues));
  values_.emplace_back();
  values_.back().kind = kind;
  return &values_.back();
}

PickleValue* PickleReader::pop() {
  if (stack_.empty() || stack_.back() == nullptr) refuse("an operation without its operand");
  PickleValue* value = stack_.back();
  stack_.pop_back();
  return value;
}

PickleValue* PickleReader::top(Kind kind, std::string_view what) {
  if (stack_.empty() || stack_.back() == nullptr || stack_.back()->kind != kind) refuse(what);
  return stack_.back();
}

std::vector<const PickleValue*> PickleReader::pop_to_mark() {
  const auto mark = std::find(stack_.rbegin(), stack_.rend(), nullptr);
  if (mark == stack_.rend()) refuse("an operation without its mark");
  std::vector<const PickleValue*> items(mark.base(), stack_.end());
  stack_.resize(static_cast<size_t>(mark.base() - stack_.begin()) - 1);
  return items;
}

void PickleReader::push_integer(int64_t value) {
  PickleValue* made = make(Kind::integer);
  made->integer = value;
  push(made);
}

void PickleReader::push_string(uint64_t length) {
  const std::string_view text = reader_.text(length, "a string of the pickle");
  PickleValue* made = make(Kind::string);
  made->text = text;
  push(made);
}

void PickleReader::push_tuple(std::vector<const PickleValue*> items) {
  PickleValue* made = make(Kind::tuple);
  made->items = std::move(items);
  push(made);
}

// A little-endian two's complement number of any length. Only the magic number of the old format
// is longer than eight bytes; it is kept as text.
void PickleReader::push_long() {
  const auto length = reader_.read<uint8_t>("a long number");
  const auto bytes = reader_.take(length, "a long number");
  PickleValue* made = make(Kind::integer);
  if (length > 8) {
    made->kind = Kind::string;
    made->text = {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  } else if (length > 0) {
    const bool negative = (std::to_integer<uint8_t>(bytes.back()) & 0x80U) != 0;
    uint64_t value = negative ? ~uint64_t{0} : 0;
    for (size_t i = bytes.size(); i-- > 0;) value = value << 8 | std::to_integer<uint8_t>(bytes[i]);
    made->integer = static_cast<int64_t>(value);
  }
  push(made);
}

void PickleReader::put(uint32_t index) {
  if (stack_.empty() || stack_.back() == nullptr) refuse("nothing to remember");
  // Indices are given out in order; the file cannot ask for a huge empty memo.
  if (index > memo_.size() + 1) refuse("a memo index out of order");
  if (index >= memo_.size()) memo_.resize(index + size_t{1}, nullptr);
  memo_[index] = stack_.back();
}

void PickleReader::get(uint32_t index) {
  if (index >= memo_.size() || memo_[index] == nullptr) refuse("an unknown memo index");
  push(memo_[index]);
}

void PickleReader::append(const std::vector<const PickleValue*>& items) {
  PickleValue* list = top(Kind::list, "an append to no list");
  list->items.insert(list->items.end(), items.begin(), items.end());
}

void PickleReader::set_items(const std::vector<const PickleValue*>& items) {
  PickleValue* dict = top(Kind::dict, "an item for no dict");
  if (items.size() % 2 != 0) refuse("a key without a value");
  for (size_t i = 0; i < items.size(); i += 2) dict->entries.emplace_back(items[i], items[i + 1]);
}

std::string_view PickleReader::line() {
  const uint64_t start = reader_.offset();
  uint64_t length = 0;
  while (reader_.read<char>("a name of the pickle") != '\n') {
    if (++length > kMaxName) refuse("an endless name");
  }
  reader_.seek(start, "a name of the pickle");
  const std::string_view text = reader_.text(length, "a name of the pickle");
  reader_.take(1, "a name of the pickle");
  return text;
}

void PickleReader::push_global() {
  const std::string_view module = line();
  const std::string_view name = line();
  const auto* known = std::ranges::find(kGlobals, fmt::format("{} {}", module, name));
  if (known == kGlobals.end()) refuse(fmt::format("the global {}.{}", module, name));
  PickleValue* made = make(Kind::global);
  made->text = *known;
  push(made);
}

void PickleReader::reduce() {
  const PickleValue* arguments = pop();
  const PickleValue* callable = pop();
  if (callable->kind != Kind::global || arguments->kind != Kind::tuple) refuse("a strange call");
  if (callable->text == kOrderedDict) {
    if (!arguments->items.empty()) refuse("an OrderedDict with arguments");
    push(make(Kind::dict));
  } else if (callable->text == kRebuildTensor) {
    push(rebuild_tensor(arguments->items));
  } else if (callable->text == kRebuildParameter) {
    if (arguments->items.empty() || arguments->items[0]->kind != Kind::tensor) {
      refuse("a parameter without a tensor");
    }
    // values_ owns it and nothing else changes tensors.
    push(const_cast<PickleValue*>(arguments->items[0]));
  } else {
    refuse(fmt::format("a call of {}", callable->text));
  }
}

// torch._utils._rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks[, metadata])
PickleValue* PickleReader::rebuild_tensor(const std::vector<const PickleValue*>& arguments) {
  if (arguments.size() < 6 || arguments.size() > 7 || arguments[0]->kind != Kind::storage ||
      arguments[1]->kind != Kind::integer || arguments[2]->kind != Kind::tuple ||
      arguments[3]->kind != Kind::tuple ||
      arguments[2]->items.size() != arguments[3]->items.size() ||
      arguments[2]->items.size() > kMaxTensorRank) {
    refuse("a malformed tensor");
  }
  PickleValue* tensor = make(Kind::tensor);
  tensor->items.push_back(arguments[0]);
  tensor->integer = arguments[1]->integer;
  for (const auto& [from, to] :
       {std::pair(arguments[2], &tensor->shape), std::pair(arguments[3], &tensor->strides)}) {
    for (const PickleValue* extent : from->items) {
      if (extent->kind != Kind::integer || extent->integer < 0) refuse("a malformed tensor");
      to->push_back(extent->integer);
    }
  }
  if (tensor->integer < 0) refuse("a malformed tensor");
  return tensor;
}

// ("storage", torch.FloatStorage, key, location, elements), in the old format with a sixth field
// for views that is None.
void PickleReader::push_storage() {
  const PickleValue* id = pop();
  const auto& items = id->items;
  if (id->kind != Kind::tuple || items.size() < 5 || items.size() > 6 ||
      items[0]->kind != Kind::string || items[0]->text != "storage" ||
      items[1]->kind != Kind::global || items[2]->kind != Kind::string ||
      items[4]->kind != Kind::integer || items[4]->integer < 0 ||
      (items.size() == 6 && items[5]->kind != Kind::none)) {
    refuse("a malformed storage");
  }
  PickleValue* storage = make(Kind::storage);
  storage->storage_class = storage_of_global(items[1]->text);
  if (storage->storage_class.empty()) refuse("a malformed storage");
  storage->text = items[2]->text;
  storage->integer = items[4]->integer;
  storages_.push_back(storage);
  push(storage);
}

bool PickleReader::step() {
  at_ = reader_.offset();
  if (++operations_ > kMaxOperations) refuse("more operations than any model");
  constexpr std::string_view kWhat = "an operation of the pickle";
  const auto op = reader_.read<uint8_t>(kWhat);
  switch (op) {
    case kProto:
      if (const auto version = reader_.read<uint8_t>(kWhat); version != 2) {
        refuse(fmt::format("protocol {} (expected 2)", version));
      }
      return true;
    case kStop:
      return false;
    case kMark:
      push(nullptr);
      return true;
    case kNone:
      push(make(Kind::none));
      return true;
    case kNewTrue:
    case kNewFalse:
      push_integer(op == kNewTrue);
      stack_.back()->kind = Kind::boolean;
      return true;
    case kBinInt:
      push_integer(reader_.read<int32_t>(kWhat));
      return true;
    case kBinInt1:
      push_integer(reader_.read<uint8_t>(kWhat));
      return true;
    case kBinInt2:
      push_integer(reader_.read<uint16_t>(kWhat));
      return true;
    case kLong1:
      push_long();
      return true;
    case kBinFloat:  // big-endian, unlike all other numbers
      push(make(Kind::real));
      stack_.back()->real = std::bit_cast<double>(__builtin_bswap64(reader_.read<uint64_t>(kWhat)));
      return true;
    case kShortBinString:
      push_string(reader_.read<uint8_t>(kWhat));
      return true;
    case kBinString:
    case kBinUnicode:
      push_string(reader_.read<uint32_t>(kWhat));
      return true;
    case kEmptyList:
      push(make(Kind::list));
      return true;
    case kAppend:
      append({pop()});
      return true;
    case kAppends:
      append(pop_to_mark());
      return true;
    case kEmptyTuple:
      push_tuple({});
      return true;
    case kTuple:
      push_tuple(pop_to_mark());
      return true;
    case kTuple1:
    case kTuple2:
    case kTuple3: {
      std::vector<const PickleValue*> items(op - kTuple1 + size_t{1});
      for (size_t i = items.size(); i-- > 0;) items[i] = pop();
      push_tuple(std::move(items));
      return true;
    }
    case kEmptyDict:
      push(make(Kind::dict));
      return true;
    case kSetItem: {
      const PickleValue* value = pop();
      const PickleValue* key = pop();
      set_items({key, value});
      return true;
    }
    case kSetItems:
      set_items(pop_to_mark());
      return true;
    case kBinGet:
      get(reader_.read<uint8_t>(kWhat));
      return true;
    case kLongBinGet:
      get(reader_.read<uint32_t>(kWhat));
      return true;
    case kBinPut:
      put(reader_.read<uint8_t>(kWhat));
      return true;
    case kLongBinPut:
      put(reader_.read<uint32_t>(kWhat));
      return true;
    case kGlobal:
      push_global();
      return true;
    case kReduce:
      reduce();
      return true;
    case kBuild:
      // The state of an OrderedDict is its _metadata: version numbers of modules.
      pop();
      top(Kind::dict, "a state for no dict");
      return true;
    case kBinPersId:
      push_storage();
      return true;
    default:
      refuse(fmt::format("the operation 0x{:02x}", op));
  }
}

}  // namespace whisper_s4y
