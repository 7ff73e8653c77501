#include "tflite/check_runnable.h"

#include <flatbuffers/flatbuffers.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>
#include <set>
#include <vector>

#include "common/fail.h"
#include "graph/ops.h"
#include "tflite/schema_generated.h"

namespace whisper_s4y {
namespace {

namespace fb = ::flatbuffers;

constexpr size_t kMaxRank = 4;  // some of LiteRT's kernels end the process beyond
constexpr int64_t kMaxElements = int64_t{1} << 29;
constexpr size_t kMaxSubgraphs = 64;
constexpr size_t kMaxOperands = 4096;
constexpr int64_t kMaxPreparedOps = 1'000'000;
constexpr int kMaxNesting = 4;  // of loops
constexpr auto kLastActivation = tflite::ActivationFunctionType::RELU6;

// A run's memory grows with the weights in no model by more than this: caches for five hypotheses
// are 2 GB beside 0.9 GB of int4 weights. What attention and the front end need comes first.
constexpr double kFreeBytes = 1 << 30;
constexpr double kBytesPerFileByte = 4;
// Unpacked to float32, int4 weights are eight times as large.
constexpr double kFreeWeightBytes = 1 << 26;
constexpr double kWeightBytesPerFileByte = 16;
// The encoder multiplies each weight 1500 times, and 1500 positions by one another.
constexpr double kFreeWork = 5e10;
constexpr double kWorkPerFileByte = 5000;
// LiteRT copies names, shapes and scales, however often one place of the file is named.
constexpr double kFreeCopies = 1 << 26;
constexpr double kCopiesPerFileByte = 4;

template <typename T>
fb::uoffset_t size_of(const fb::Vector<T>* vector) {
  return vector == nullptr ? 0 : vector->size();
}

template <typename T, typename Visit>
void for_each(const fb::Vector<T>* vector, const Visit& visit) {
  if (vector == nullptr) return;
  for (const auto& element : *vector) visit(element);
}

/// Whether a table has none but the first `known` fields of its type: what we cannot read LiteRT
/// shall not read either.
template <typename Table>
bool only_known_fields(const Table& table, size_t known) {
  const auto& plain = reinterpret_cast<const fb::Table&>(table);
  const auto* vtable = plain.GetVTable();
  const size_t fields = fb::ReadScalar<fb::voffset_t>(vtable) / sizeof(fb::voffset_t) - 2;
  for (size_t i = known; i < fields; ++i) {
    if (plain.CheckField(static_cast<fb::voffset_t>((i + 2) * sizeof(fb::voffset_t)))) return false;
  }
  return true;
}

// Fields of the tables in schema.fbs.
constexpr size_t kModelFields = 8;
constexpr size_t kSubgraphFields = 5;
constexpr size_t kTensorFields = 9;
constexpr size_t kQuantizationFields = 7;
constexpr size_t kOperatorFields = 5;
constexpr size_t kBufferFields = 3;
constexpr size_t kSignatureFields = 5;

bool is_plain_name(const fb::String* text) {
  return text != nullptr && !text->empty() && text->size() < 256 &&
         std::ranges::all_of(text->string_view(),
                             [](char c) { return c > ' ' && c < '\x7f' && c != '"' && c != '\\'; });
}

/// Stands for a constant where only its type and shape matter.
class NoBytes : public ConstantData {
 public:
  NoBytes(uint64_t size, size_t index) : size_(size), index_(index) {}
  [[nodiscard]] uint64_t size() const override { return size_; }
  void write(const ByteSink&) const override {}
  [[nodiscard]] std::string key() const override { return fmt::format("{}", index_); }

 private:
  uint64_t size_;
  size_t index_;
};

/// What it takes to run a subgraph with the loops in it.
struct Cost {
  double bytes = 0;         // of tensors that live at the same time
  double weight_bytes = 0;  // of matrices, as float32
  double work = 0;          // multiplications and numbers written
  int64_t ops = 0;
  int nesting = 0;
};

class FileChecker;

/// Builds a subgraph anew with graph/ops.h and compares.
class SubgraphChecker {
 public:
  SubgraphChecker(FileChecker& parent, size_t index);
  void run();

  [[nodiscard]] Graph& graph() { return graph_; }
  [[nodiscard]] const Cost& cost() const { return cost_; }

 private:
  using Ids = fb::Vector<int32_t>;

  template <typename... Args>
  [[noreturn]] void refuse(fmt::format_string<Args...> format, Args&&... args) const;

  void add_tensors();
  void add_tensor(size_t id, const tflite::Tensor& tensor);
  void check_content(size_t id, const tflite::Tensor& tensor, std::span<const std::byte> bytes,
                     DType dtype, const Shape& shape) const;
  std::shared_ptr<const Quantization> quantization(size_t id, const tflite::Tensor& tensor,
                                                   DType dtype, const Shape& shape) const;
  std::shared_ptr<const Quantization> block_quantization(size_t id, const tflite::Tensor& tensor,
                                                         const Shape& shape) const;
  void check_op(size_t index, const tflite::Operator& op);
  std::vector<Value> build(OpCode code, const tflite::Operator& op);
  std::vector<Value> build_loop(const tflite::Operator& op);
  Value build_product(const tflite::Operator& op);
  Value build_convolution(const tflite::Operator& op);
  Value build_shape_op(OpCode code, const tflite::Operator& op);
  void count(OpCode code, const tflite::Operator& op);
  void count_memory();

  [[nodiscard]] Value input(const tflite::Operator& op, size_t index) const;
  [[nodiscard]] std::vector<int32_t> numbers(const tflite::Operator& op, size_t index,
                                             size_t least_rank = 1, size_t most_rank = 1) const;
  [[nodiscard]] int number(const tflite::Operator& op, size_t index) const;
  void expect_inputs(const tflite::Operator& op, size_t least, size_t most) const;
  static void expect_activation(tflite::ActivationFunctionType activation);

  FileChecker& parent_;
  size_t index_;
  const tflite::SubGraph& file_graph_;
  Graph& graph_;
  std::vector<Value> values_;      // by the id in the file
  std::vector<bool> ready_;        // by the id: constants, inputs, outputs of ops so far
  std::vector<double> temporary_;  // by op: bytes it needs while it runs
  Cost cost_;
};

class FileChecker {
 public:
  explicit FileChecker(const TfliteFile& file) : file_(file) {}

  void run() {
    const tflite::Model& model = file_.model();
    if (size_of(model.signature_defs()) == 0) {
      fail("{} defines no signatures: there is nothing in it that can be called.", name());
    }
    if (!only_known_fields(model, kModelFields) || size_of(model.subgraphs()) > kMaxSubgraphs) {
      fail("{} has {} subgraphs or parts that whisper-s4y does not know; at most {} are run.",
           name(), size_of(model.subgraphs()), kMaxSubgraphs);
    }
    check_buffers();
    check_copies();
    checkers_.resize(size_of(model.subgraphs()));
    for (size_t i = 0; i < checkers_.size(); ++i) (void)checked(i);
    check_signatures();
  }

  /// The subgraph, which is checked first if it has not been. TfliteFile sees to it that none calls
  /// itself.
  SubgraphChecker& checked(size_t index) {
    if (!checkers_[index]) {
      checkers_[index] = std::make_unique<SubgraphChecker>(*this, index);
      checkers_[index]->run();
      check_cost(index);
    }
    return *checkers_[index];
  }

  [[nodiscard]] const TfliteFile& file() const { return file_; }
  [[nodiscard]] std::string name() const { return file_.path().string(); }
  [[nodiscard]] Module& module() { return module_; }

 private:
  void check_buffers() const {
    for_each(file_.model().buffers(), [&](const tflite::Buffer* buffer) {
      const bool inside = size_of(buffer->data()) > 0;
      const bool behind = buffer->offset() > 1;
      if ((inside && behind) || (!behind && buffer->size() > 1) ||
          !only_known_fields(*buffer, kBufferFields)) {
        fail("{}: a buffer says in two ways where its bytes are, or in none.", name());
      }
    });
    for_each(file_.model().metadata(), [&](const tflite::Metadata* entry) {
      // LiteRT would take orders from it.
      if (entry->name()->string_view() == "model_control_dependencies") {
        fail("{}: the metadata \"{}\" is nothing that whisper-s4y runs.", name(),
             entry->name()->string_view());
      }
    });
  }

  void check_copies() const {
    double bytes = 0;
    const auto text = [&](const fb::String* string) {
      if (string != nullptr) bytes += string->size();
    };
    for_each(file_.model().subgraphs(), [&](const tflite::SubGraph* graph) {
      text(graph->name());
      bytes += 4.0 * (size_of(graph->inputs()) + size_of(graph->outputs()));
      for_each(graph->tensors(), [&](const tflite::Tensor* tensor) {
        text(tensor->name());
        bytes += 4.0 * (size_of(tensor->shape()) + size_of(tensor->shape_signature()));
        if (const auto* q = tensor->quantization()) {
          bytes += 4.0 * (size_of(q->scale()) + size_of(q->min()) + size_of(q->max())) +
                   8.0 * size_of(q->zero_point());
        }
      });
      for_each(graph->operators(), [&](const tflite::Operator* op) {
        bytes += 4.0 * (size_of(op->inputs()) + size_of(op->outputs()));
      });
    });
    if (bytes > kFreeCopies + kCopiesPerFileByte * static_cast<double>(file_.size())) {
      fail("{}: names, shapes and scales would take {:.0f} MB, more than the file has.", name(),
           bytes / 1e6);
    }
  }

  void check_cost(size_t index) const {
    const Cost& cost = checkers_[index]->cost();
    const auto size = static_cast<double>(file_.size());
    const auto check = [&](double needs, double free, double per_byte, std::string_view what,
                           double unit) {
      if (needs <= free + per_byte * size) return;
      fail(
          "{}: subgraph {} needs {:.1f} {}, more than a model in {:.1f} MB can use ({:.1f}): the "
          "file is damaged or not meant well.",
          name(), index, needs / unit, what, size / 1e6, (free + per_byte * size) / unit);
    };
    check(cost.bytes, kFreeBytes, kBytesPerFileByte, "GB of memory", 1e9);
    check(cost.weight_bytes, kFreeWeightBytes, kWeightBytesPerFileByte, "GB for its matrices", 1e9);
    check(cost.work, kFreeWork, kWorkPerFileByte, "billion multiplications", 1e9);
    if (cost.nesting > kMaxNesting) {
      fail("{}: the loops of subgraph {} stand in one another {} deep, at most {} are run.", name(),
           index, cost.nesting, kMaxNesting);
    }
    if (cost.ops > kMaxPreparedOps) {
      fail("{}: subgraph {} with its loops has {} ops, at most {} are run.", name(), index,
           cost.ops, kMaxPreparedOps);
    }
  }

  void check_signatures() const {
    std::set<std::string_view> keys;
    for_each(file_.model().signature_defs(), [&](const tflite::SignatureDef* signature) {
      if (!is_plain_name(signature->signature_key()) ||
          !only_known_fields(*signature, kSignatureFields)) {
        fail("{}: a signature is called \"{}\", which is no plain word.", name(),
             signature->signature_key()->string_view());
      }
      const auto key = signature->signature_key()->string_view();
      if (!keys.insert(key).second) fail("{} has signature \"{}\" twice.", name(), key);
      const tflite::SubGraph& graph = *file_.model().subgraphs()->Get(signature->subgraph_index());
      check_tensors(key, "inputs", signature->inputs(), graph.inputs());
      check_tensors(key, "outputs", signature->outputs(), graph.outputs());
      for_each(graph.outputs(), [&](int32_t id) {
        const auto* tensor = graph.tensors()->Get(static_cast<fb::uoffset_t>(id));
        const bool is_input = graph.inputs() != nullptr &&
                              std::ranges::find(*graph.inputs(), id) != graph.inputs()->end();
        if (is_input || !file_.buffer(tensor->buffer()).empty()) {
          fail("{}: an output of signature \"{}\" is an input or a constant: nothing writes it.",
               name(), key);
        }
      });
    });
  }

  void check_tensors(std::string_view key, std::string_view what,
                     const fb::Vector<fb::Offset<tflite::TensorMap>>* maps,
                     const fb::Vector<int32_t>* of_graph) const {
    std::set<std::string_view> names;
    std::set<uint32_t> named;
    for_each(maps, [&](const tflite::TensorMap* entry) {
      if (!is_plain_name(entry->name()) || !names.insert(entry->name()->string_view()).second ||
          !named.insert(entry->tensor_index()).second) {
        fail(
            "{}: the {} of signature \"{}\" have a name or a tensor twice, or a name that is no "
            "plain word.",
            name(), what, key);
      }
    });
    std::set<uint32_t> there;
    for_each(of_graph, [&](int32_t id) { there.insert(static_cast<uint32_t>(id)); });
    if (named != there || size_of(of_graph) != there.size()) {
      fail("{}: the {} of signature \"{}\" are not those of its subgraph.", name(), what, key);
    }
  }

  const TfliteFile& file_;
  Module module_;
  std::vector<std::unique_ptr<SubgraphChecker>> checkers_;
};

SubgraphChecker::SubgraphChecker(FileChecker& parent, size_t index)
    : parent_(parent),
      index_(index),
      file_graph_(*parent.file().model().subgraphs()->Get(static_cast<fb::uoffset_t>(index))),
      graph_(parent.module().add_graph(fmt::format("subgraph {}", index))) {}

template <typename... Args>
void SubgraphChecker::refuse(fmt::format_string<Args...> format, Args&&... args) const {
  fail("{}: subgraph {}: {}", parent_.name(), index_,
       fmt::format(format, std::forward<Args>(args)...));
}

void SubgraphChecker::run() {
  if (!only_known_fields(file_graph_, kSubgraphFields)) {
    refuse("it has a part that whisper-s4y does not know.");
  }
  add_tensors();
  for_each(file_graph_.inputs(), [&](int32_t id) {
    const auto place = static_cast<size_t>(id);
    if (ready_[place]) refuse("input tensor {} is a constant or named twice.", id);
    ready_[place] = true;
  });
  for (fb::uoffset_t i = 0; i < size_of(file_graph_.operators()); ++i) {
    check_op(i, *file_graph_.operators()->Get(i));
  }
  std::vector<Value> outputs;
  for_each(file_graph_.outputs(), [&](int32_t id) {
    if (!ready_[static_cast<size_t>(id)]) refuse("nothing writes the output, tensor {}.", id);
    outputs.push_back(values_[static_cast<size_t>(id)]);
  });
  graph_.set_outputs(std::move(outputs));
  count_memory();
}

void SubgraphChecker::add_tensors() {
  const size_t count = size_of(file_graph_.tensors());
  ready_.resize(count, false);
  values_.resize(count);
  std::vector<bool> is_input(count, false);
  for_each(file_graph_.inputs(), [&](int32_t id) { is_input[static_cast<size_t>(id)] = true; });
  for (size_t id = 0; id < count; ++id) {
    add_tensor(id, *file_graph_.tensors()->Get(static_cast<fb::uoffset_t>(id)));
  }
  // The builders give the inputs in the order of the file.
  for_each(file_graph_.inputs(), [&](int32_t id) {
    const Tensor& tensor = graph_.tensor(values_[static_cast<size_t>(id)]);
    const Value value = graph_.input(fmt::format("input {}", id), tensor.dtype, tensor.shape);
    values_[static_cast<size_t>(id)] = value;
  });
}

void SubgraphChecker::add_tensor(size_t id, const tflite::Tensor& tensor) {
  const auto dtype = static_cast<DType>(tensor.type());
  Shape shape;
  int64_t elements = 1;
  bool possible = size_of(tensor.shape()) <= kMaxRank && name_of(dtype) != "unknown";
  if (possible) {
    for_each(tensor.shape(), [&](int32_t size) {
      shape.push_back(size);
      possible = possible && size > 0;
      if (possible) elements *= size;  // of four at most below 2^31: checked by TfliteFile
    });
  }
  if (!possible || elements > kMaxElements) {
    refuse("tensor {} has a type, a rank or a size that whisper-s4y does not run.", id);
  }
  const bool fixed = size_of(tensor.shape_signature()) == 0 ||
                     std::ranges::equal(*tensor.shape_signature(), shape);
  if (tensor.is_variable() || tensor.sparsity() != nullptr || !fixed ||
      !only_known_fields(tensor, kTensorFields)) {
    refuse("tensor {} is variable, sparse, of no fixed shape or has unknown parts.", id);
  }
  const auto bytes = parent_.file().buffer(tensor.buffer());
  if (bytes.empty()) {
    if (dtype == DType::i4) refuse("tensor {} of int4 is no constant.", id);
    values_[id] = graph_.new_tensor(dtype, std::move(shape));
    (void)quantization(id, tensor, DType::f32, {});
    return;
  }
  check_content(id, tensor, bytes, dtype, shape);
  ready_[id] = true;
  if (auto scales = quantization(id, tensor, dtype, shape)) {
    const auto size = byte_count(dtype, shape);
    values_[id] = graph_.constant("", dtype, std::move(shape), std::make_shared<NoBytes>(size, id),
                                  std::move(scales));
  } else {
    values_[id] = graph_.new_tensor(dtype, std::move(shape));
  }
}

void SubgraphChecker::check_content(size_t id, const tflite::Tensor& tensor,
                                    std::span<const std::byte> bytes, DType dtype,
                                    const Shape& shape) const {
  if (dtype == DType::string) {
    // TFLite's form: int32 count, count + 1 offsets from the beginning, the bytes.
    const auto count = static_cast<uint64_t>(element_count(shape));
    const uint64_t head = (count + 2) * sizeof(int32_t);
    bool good = bytes.size() >= head;
    uint64_t before = head;
    for (uint64_t i = 0; good && i < count + 2; ++i) {
      int32_t word = 0;
      std::memcpy(&word, bytes.data() + i * sizeof(word), sizeof(word));
      const auto number = static_cast<uint64_t>(std::max(word, 0));
      if (i == 0) {
        good = number == count;
      } else {
        good = number >= before && number <= bytes.size();
        before = number;
      }
    }
    if (!good) refuse("the strings of tensor {} do not lie inside its buffer.", id);
    return;
  }
  const auto alignment = static_cast<uint64_t>(std::max(bits_of(dtype) / 8, 1));
  const auto place = static_cast<uint64_t>(bytes.data() - parent_.file().file().bytes().data());
  if (place % alignment != 0) {
    refuse("the bytes of tensor {} in buffer {} begin at {}, which is no multiple of {}.", id,
           tensor.buffer(), place, alignment);
  }
}

std::shared_ptr<const Quantization> SubgraphChecker::quantization(size_t id,
                                                                  const tflite::Tensor& tensor,
                                                                  DType dtype,
                                                                  const Shape& shape) const {
  const auto* q = tensor.quantization();
  if (q == nullptr) return nullptr;
  const bool blocks = q->details_type() != tflite::QuantizationDetails::NONE;
  const size_t count = size_of(q->scale());
  const bool none = !blocks && count == 0 && size_of(q->zero_point()) == 0;
  if (!only_known_fields(*q, kQuantizationFields)) refuse("tensor {} has unknown scales.", id);
  if (none) return nullptr;
  if (blocks && dtype == DType::i4) return block_quantization(id, tensor, shape);
  // One scale, or one for each index of the first dimension; the integers are signed, without zero
  // points.
  bool good = !blocks && dtype == DType::i8 && !shape.empty() && q->quantized_dimension() == 0 &&
              (count == 1 || count == static_cast<size_t>(shape[0])) &&
              (size_of(q->zero_point()) == 0 || size_of(q->zero_point()) == count);
  for_each(q->zero_point(), [&](int64_t zero) { good = good && zero == 0; });
  for_each(q->scale(), [&](float scale) { good = good && std::isfinite(scale) && scale > 0; });
  if (!good) refuse("the scales of tensor {} {} do not fit it.", id, to_string(shape));
  return std::make_shared<Quantization>(Quantization{.scales = std::vector<float>(count, 1.0F)});
}

std::shared_ptr<const Quantization> SubgraphChecker::block_quantization(
    size_t id, const tflite::Tensor& tensor, const Shape& shape) const {
  const auto* blocks = tensor.quantization()->details_as_BlockwiseQuantization();
  const bool known = blocks != nullptr && blocks->scales() >= 0 &&
                     static_cast<uint32_t>(blocks->scales()) < size_of(file_graph_.tensors()) &&
                     blocks->zero_points() == -1 && blocks->block_size() > 0 &&
                     blocks->block_size() % 32 == 0 && shape.size() == 2 &&
                     shape[1] % blocks->block_size() == 0;
  if (known) {
    const auto* scales = file_graph_.tensors()->Get(static_cast<fb::uoffset_t>(blocks->scales()));
    const Shape expected{shape[0], shape[1] / blocks->block_size()};
    const auto bytes = parent_.file().buffer(scales->buffer());
    if (static_cast<DType>(scales->type()) == DType::f16 && scales->shape() != nullptr &&
        std::ranges::equal(*scales->shape(), expected) &&
        bytes.size() == byte_count(DType::f16, expected)) {
      return std::make_shared<Quantization>(Quantization{.block_size = blocks->block_size()});
    }
  }
  refuse("the scales of the blocks of tensor {} {} do not fit it.", id, to_string(shape));
}

Value SubgraphChecker::input(const tflite::Operator& op, size_t index) const {
  const int32_t id = op.inputs()->Get(static_cast<fb::uoffset_t>(index));
  if (id < 0) fail("input {} is left out.", index);
  return values_[static_cast<size_t>(id)];
}

/// The int32 numbers of a constant.
std::vector<int32_t> SubgraphChecker::numbers(const tflite::Operator& op, size_t index,
                                              size_t least_rank, size_t most_rank) const {
  constexpr size_t kMost = 64;
  const size_t rank = graph_.shape(input(op, index)).size();
  const auto* tensor = file_graph_.tensors()->Get(
      static_cast<fb::uoffset_t>(op.inputs()->Get(static_cast<fb::uoffset_t>(index))));
  const auto bytes = parent_.file().buffer(tensor->buffer());
  if (static_cast<DType>(tensor->type()) != DType::i32 || bytes.empty() ||
      bytes.size() > kMost * sizeof(int32_t) || rank < least_rank || rank > most_rank) {
    fail("input {}, which decides a shape, is no constant row of int32.", index);
  }
  std::vector<int32_t> numbers(bytes.size() / sizeof(int32_t));
  std::memcpy(numbers.data(), bytes.data(), bytes.size());
  return numbers;
}

int SubgraphChecker::number(const tflite::Operator& op, size_t index) const {
  const std::vector<int32_t> all = numbers(op, index, 0, 1);
  if (all.size() != 1) fail("input {} has {} numbers, expected one.", index, all.size());
  return all[0];
}

void SubgraphChecker::expect_inputs(const tflite::Operator& op, size_t least, size_t most) const {
  const size_t count = size_of(op.inputs());
  if (count < least || count > most)
    fail("it has {} inputs, expected {} to {}.", count, least, most);
}

void SubgraphChecker::expect_activation(tflite::ActivationFunctionType activation) {
  if (activation < tflite::ActivationFunctionType::MIN || activation > kLastActivation) {
    fail("it has the unknown activation {}.", static_cast<int>(activation));
  }
}

void SubgraphChecker::check_op(size_t index, const tflite::Operator& op) {
  const auto* code = parent_.file().model().operator_codes()->Get(op.opcode_index());
  const int32_t number = op_number(*code);
  const auto op_code = static_cast<OpCode>(number);
  for_each(op.inputs(), [&](int32_t id) {
    if (id >= 0 && !ready_[static_cast<size_t>(id)]) {
      refuse("op {} reads tensor {}, which nothing has written.", index, id);
    }
  });
  std::vector<Value> results;
  try {
    if (!only_known_fields(op, kOperatorFields) || size_of(op.inputs()) > kMaxOperands) {
      fail("it has parts that whisper-s4y does not know.");
    }
    results = build(op_code, op);
  } catch (const Error& error) {
    refuse("op {}, {}, cannot be run: {}", index, name_of(op_code), error.what());
  }
  if (results.size() != size_of(op.outputs())) {
    refuse("op {}, {}, has {} outputs, expected {}.", index, name_of(op_code),
           size_of(op.outputs()), results.size());
  }
  for (size_t i = 0; i < results.size(); ++i) {
    const auto id = static_cast<size_t>(op.outputs()->Get(static_cast<fb::uoffset_t>(i)));
    const Tensor& ours = graph_.tensor(results[i]);
    const Tensor& theirs = graph_.tensor(values_[id]);
    if (ready_[id]) {
      refuse("op {}, {}, writes tensor {}, which is a constant, an input or written before.", index,
             name_of(op_code), id);
    }
    if (ours.dtype != theirs.dtype || ours.shape != theirs.shape) {
      refuse("op {}, {}, gives {} {}, but its output, tensor {}, is {} {}.", index,
             name_of(op_code), name_of(ours.dtype), to_string(ours.shape), id,
             name_of(theirs.dtype), to_string(theirs.shape));
    }
    ready_[id] = true;
  }
  count(op_code, op);
}

using Unary = Value (*)(Graph&, Value);
using Binary = Value (*)(Graph&, Value, Value);

Unary unary_of(OpCode code) {
  switch (code) {
    case OpCode::square:
      return square;
    case OpCode::sqrt:
      return sqrt;
    case OpCode::rsqrt:
      return rsqrt;
    case OpCode::floor:
      return floor;
    case OpCode::log:
      return log;
    case OpCode::exp:
      return exp;
    case OpCode::relu:
      return relu;
    case OpCode::tanh:
      return tanh;
    case OpCode::logistic:
      return logistic;
    case OpCode::gelu:
      return gelu;
    case OpCode::softmax:
      return softmax;
    case OpCode::dequantize:
      return dequantize;
    case OpCode::logical_not:
      return logical_not;
    default:
      return nullptr;
  }
}

Binary binary_of(OpCode code) {
  switch (code) {
    case OpCode::add:
      return add;
    case OpCode::sub:
      return sub;
    case OpCode::mul:
      return mul;
    case OpCode::div:
      return div;
    case OpCode::maximum:
      return maximum;
    case OpCode::minimum:
      return minimum;
    case OpCode::squared_difference:
      return squared_difference;
    case OpCode::less:
      return less;
    case OpCode::greater:
      return greater;
    case OpCode::greater_equal:
      return greater_equal;
    case OpCode::less_equal:
      return less_equal;
    case OpCode::equal:
      return equal;
    case OpCode::not_equal:
      return not_equal;
    case OpCode::logical_and:
      return logical_and;
    case OpCode::logical_or:
      return logical_or;
    default:
      return nullptr;
  }
}

tflite::ActivationFunctionType activation_of(const tflite::Operator& op) {
  if (const auto* a = op.builtin_options_as_AddOptions()) return a->fused_activation_function();
  if (const auto* a = op.builtin_options_as_SubOptions()) return a->fused_activation_function();
  if (const auto* a = op.builtin_options_as_MulOptions()) return a->fused_activation_function();
  if (const auto* a = op.builtin_options_as_DivOptions()) return a->fused_activation_function();
  return tflite::ActivationFunctionType::NONE;
}

std::vector<Value> SubgraphChecker::build(OpCode code, const tflite::Operator& op) {
  if (const Unary function = unary_of(code)) {
    expect_inputs(op, 1, 1);
    const auto* options = op.builtin_options_as_SoftmaxOptions();
    if (options != nullptr && !(options->beta() > 0 && std::isfinite(options->beta()))) {
      fail("its beta is {}.", options->beta());
    }
    return {function(graph_, input(op, 0))};
  }
  if (const Binary function = binary_of(code)) {
    expect_inputs(op, 2, 2);
    expect_activation(activation_of(op));
    return {function(graph_, input(op, 0), input(op, 1))};
  }
  switch (code) {
    case OpCode::while_loop:
      return build_loop(op);
    case OpCode::fully_connected:
      return {build_product(op)};
    case OpCode::conv_2d:
      return {build_convolution(op)};
    case OpCode::select_v2:
      expect_inputs(op, 3, 3);
      return {select(graph_, input(op, 0), input(op, 1), input(op, 2))};
    case OpCode::cast:
      expect_inputs(op, 1, 1);
      if (size_of(op.outputs()) != 1) fail("it has {} outputs.", size_of(op.outputs()));
      return {cast(graph_, input(op, 0),
                   graph_.dtype(values_[static_cast<size_t>(op.outputs()->Get(0))]))};
    case OpCode::batch_matmul: {
      expect_inputs(op, 2, 2);
      const auto* options = op.builtin_options_as_BatchMatMulOptions();
      if (options != nullptr && options->asymmetric_quantize_inputs()) {
        fail("it quantises its inputs.");
      }
      return {batch_matmul(graph_, input(op, 0), input(op, 1),
                           options != nullptr && options->adj_x(),
                           options != nullptr && options->adj_y())};
    }
    case OpCode::concatenation: {
      expect_inputs(op, 1, kMaxOperands);
      const auto* options = op.builtin_options_as_ConcatenationOptions();
      if (options != nullptr) expect_activation(options->fused_activation_function());
      std::vector<Value> parts;
      int64_t elements = 0;
      for (size_t i = 0; i < size_of(op.inputs()); ++i) {
        parts.push_back(input(op, i));
        elements += element_count(graph_.shape(parts.back()));
      }
      if (elements > kMaxElements) fail("the parts have {} numbers.", elements);
      return {concat(graph_, parts, options == nullptr ? 0 : options->axis())};
    }
    case OpCode::split: {
      expect_inputs(op, 2, 2);
      const auto* options = op.builtin_options_as_SplitOptions();
      if (options == nullptr ||
          static_cast<uint32_t>(options->num_splits()) != size_of(op.outputs())) {
        fail("it does not give as many parts as it says.");
      }
      return split(graph_, input(op, 1), number(op, 0), options->num_splits());
    }
    case OpCode::gather: {
      expect_inputs(op, 2, 2);
      const auto* options = op.builtin_options_as_GatherOptions();
      if (options != nullptr && options->batch_dims() != 0) fail("it has batch dimensions.");
      return {gather(graph_, input(op, 0), input(op, 1), options == nullptr ? 0 : options->axis())};
    }
    case OpCode::embedding_lookup:
      expect_inputs(op, 2, 2);
      return {embedding_lookup(graph_, input(op, 1), input(op, 0))};
    case OpCode::dynamic_update_slice:
      expect_inputs(op, 3, 3);
      return {dynamic_update_slice(graph_, input(op, 0), input(op, 1), input(op, 2))};
    default:
      return {build_shape_op(code, op)};
  }
}

std::vector<std::pair<int, int>> pairs_of(const std::vector<int32_t>& numbers) {
  std::vector<std::pair<int, int>> pairs;
  for (size_t i = 0; i + 1 < numbers.size(); i += 2) {
    for (const int32_t amount : {numbers[i], numbers[i + 1]}) {
      if (amount < 0 || amount > kMaxElements) fail("it pads by {}.", amount);
    }
    pairs.emplace_back(numbers[i], numbers[i + 1]);
  }
  return pairs;
}

/// Those whose shape a constant decides.
Value SubgraphChecker::build_shape_op(OpCode code, const tflite::Operator& op) {
  const auto two = [&] { expect_inputs(op, 2, 2); };
  switch (code) {
    case OpCode::sum:
    case OpCode::mean:
    case OpCode::reduce_max: {
      two();
      const auto* options = op.builtin_options_as_ReducerOptions();
      const auto reduce = code == OpCode::sum ? sum : code == OpCode::mean ? mean : reduce_max;
      return reduce(graph_, input(op, 0), numbers(op, 1, 0, 1),
                    options != nullptr && options->keep_dims());
    }
    case OpCode::arg_max: {
      two();
      const auto* options = op.builtin_options_as_ArgMaxOptions();
      const int last = static_cast<int>(graph_.shape(input(op, 0)).size()) - 1;
      const int axis = number(op, 1);
      if ((axis != last && axis != -1) || options == nullptr ||
          static_cast<DType>(options->output_type()) != DType::i32) {
        fail("it does not give int32 along the last axis.");
      }
      return arg_max(graph_, input(op, 0));
    }
    case OpCode::reshape: {
      expect_inputs(op, 1, 2);
      const auto* options = op.builtin_options_as_ReshapeOptions();
      Shape shape;
      if (size_of(op.inputs()) == 2) {
        shape = numbers(op, 1);
      } else if (options != nullptr && size_of(options->new_shape()) <= kMaxRank) {
        for_each(options->new_shape(), [&](int32_t size) { shape.push_back(size); });
      }
      const int64_t elements = element_count(graph_.shape(input(op, 0)));
      int64_t others = 1;
      for (const int32_t size : shape) {
        if (size == 0 || size < -1 || others > kMaxElements) fail("its shape is impossible.");
        if (size > 0) others *= size;
      }
      for (int32_t& size : shape) {
        if (size == -1) size = static_cast<int32_t>(elements / others);
      }
      return reshape(graph_, input(op, 0), std::move(shape));
    }
    case OpCode::transpose:
      two();
      return transpose(graph_, input(op, 0), numbers(op, 1));
    case OpCode::slice: {
      expect_inputs(op, 3, 3);
      const std::vector<int32_t> begin = numbers(op, 1);
      Shape size = numbers(op, 2);
      const Shape& whole = graph_.shape(input(op, 0));
      for (size_t i = 0; i < size.size() && i < begin.size() && i < whole.size(); ++i) {
        if (begin[i] < 0 || begin[i] > whole[i]) fail("it begins at {}.", begin[i]);
        if (size[i] == -1) size[i] = whole[i] - begin[i];
        if (size[i] > whole[i]) fail("it is {} long.", size[i]);
      }
      return slice(graph_, input(op, 0), begin, size);
    }
    case OpCode::pad:
    case OpCode::mirror_pad: {
      two();
      const auto* options = op.builtin_options_as_MirrorPadOptions();
      if (options != nullptr && options->mode() != tflite::MirrorPadMode::REFLECT)
        fail("it does not reflect.");
      const auto padding = pairs_of(numbers(op, 1, 2, 2));
      if (graph_.shape(input(op, 1))[1] != 2) fail("its paddings are no pairs.");
      return code == OpCode::pad ? pad(graph_, input(op, 0), padding)
                                 : mirror_pad(graph_, input(op, 0), padding);
    }
    case OpCode::broadcast_to:
      two();
      return broadcast_to(graph_, input(op, 0), numbers(op, 1));
    case OpCode::fill: {
      two();
      if (graph_.dtype(input(op, 1)) != DType::f32 || !graph_.shape(input(op, 1)).empty()) {
        fail("its number is no float32.");
      }
      return fill(graph_, numbers(op, 0), 0.0F);
    }
    default:
      fail("this op is not among those that whisper-s4y runs.");
  }
}

std::vector<Value> SubgraphChecker::build_loop(const tflite::Operator& op) {
  const auto* options = op.builtin_options_as_WhileOptions();
  if (options == nullptr) fail("it names no subgraphs.");
  expect_inputs(op, 1, kMaxOperands);
  SubgraphChecker& condition = parent_.checked(static_cast<size_t>(options->cond_subgraph_index()));
  SubgraphChecker& body = parent_.checked(static_cast<size_t>(options->body_subgraph_index()));
  for (const Cost* inside : {&condition.cost(), &body.cost()}) {
    cost_.bytes += inside->bytes;
    cost_.weight_bytes += inside->weight_bytes;
    cost_.work += inside->work;
    cost_.ops += inside->ops;
    cost_.nesting = std::max(cost_.nesting, inside->nesting + 1);
  }
  std::vector<Value> state;
  for (size_t i = 0; i < size_of(op.inputs()); ++i) state.push_back(input(op, i));
  return while_loop(graph_, state, condition.graph(), body.graph());
}

Value SubgraphChecker::build_product(const tflite::Operator& op) {
  expect_inputs(op, 2, 3);
  const auto* options = op.builtin_options_as_FullyConnectedOptions();
  if (options == nullptr ||
      options->weights_format() != tflite::FullyConnectedOptionsWeightsFormat::DEFAULT)
    fail("its weights are shuffled.");
  expect_activation(options->fused_activation_function());
  const bool has_bias = size_of(op.inputs()) == 3 && op.inputs()->Get(2) >= 0;
  const Value x = input(op, 0);
  if (!options->keep_num_dims() && graph_.shape(x).size() != 2) fail("it drops dimensions.");
  return fully_connected(graph_, x, input(op, 1), has_bias ? input(op, 2) : Value{});
}

Value SubgraphChecker::build_convolution(const tflite::Operator& op) {
  expect_inputs(op, 3, 3);
  const auto* options = op.builtin_options_as_Conv2DOptions();
  const auto in_range = [](int stride) { return stride >= 1 && stride <= 1 << 16; };
  if (options == nullptr || !in_range(options->stride_h()) || !in_range(options->stride_w()) ||
      options->dilation_h_factor() != 1 || options->dilation_w_factor() != 1 ||
      options->padding() < tflite::Padding::MIN || options->padding() > tflite::Padding::MAX) {
    fail("its strides, dilation or padding are none that whisper-s4y runs.");
  }
  expect_activation(options->fused_activation_function());
  return conv_2d(graph_, input(op, 0), input(op, 1), input(op, 2), options->stride_h(),
                 options->stride_w(), options->padding() == tflite::Padding::SAME);
}

double bytes_of(const Graph& graph, Value value) {
  const Tensor& tensor = graph.tensor(value);
  // Strings are nothing but places of bytes that the file has.
  return static_cast<double>(tensor.dtype == DType::string
                                 ? 16 * element_count(tensor.shape)
                                 : byte_count(tensor.dtype, tensor.shape));
}

void SubgraphChecker::count(OpCode code, const tflite::Operator& op) {
  constexpr double kWorkPerOp = 1000;  // to prepare and call it
  double numbers = 0;
  const auto elements = [&](int32_t id) {
    return id < 0
               ? 0.0
               : static_cast<double>(element_count(graph_.shape(values_[static_cast<size_t>(id)])));
  };
  for_each(op.inputs(), [&](int32_t id) { numbers += elements(id); });
  for_each(op.outputs(), [&](int32_t id) { numbers += elements(id); });
  const double results = elements(op.outputs()->Get(0));
  double products = 0;
  double temporary = 0;
  if (code == OpCode::fully_connected || code == OpCode::conv_2d) {
    const Shape& matrix = graph_.shape(input(op, 1));
    const double taps = elements(op.inputs()->Get(1)) / matrix[0];
    products = results * taps;
    cost_.weight_bytes += sizeof(float) * elements(op.inputs()->Get(1));
    // The windows of the input one after another, as one of LiteRT's kernels lays them out.
    if (code == OpCode::conv_2d) temporary = sizeof(float) * results / matrix[0] * taps;
  } else if (code == OpCode::batch_matmul) {
    const auto* options = op.builtin_options_as_BatchMatMulOptions();
    const Shape& left = graph_.shape(input(op, 0));
    products = results * left[left.size() - (options != nullptr && options->adj_x() ? 2 : 1)];
    temporary = sizeof(float) * (elements(op.inputs()->Get(0)) + elements(op.inputs()->Get(1)));
  } else if (code == OpCode::gather || code == OpCode::embedding_lookup) {
    numbers = results;
  }
  cost_.work += numbers + products + kWorkPerOp;
  ++cost_.ops;
  temporary_.push_back(temporary);
}

/// The most that tensors take at one time: each from the op that writes it to the last that reads
/// it.
void SubgraphChecker::count_memory() {
  const size_t ops = size_of(file_graph_.operators());
  std::vector<size_t> last_use(values_.size(), 0);
  for (size_t i = 0; i < ops; ++i) {
    const auto* op = file_graph_.operators()->Get(static_cast<fb::uoffset_t>(i));
    for (const auto* ids : {op->inputs(), op->outputs()}) {
      for_each(ids, [&](int32_t id) {
        if (id >= 0) last_use[static_cast<size_t>(id)] = i;
      });
    }
  }
  double live = 0;
  std::vector<bool> is_live(values_.size(), false);
  const auto begin = [&](int32_t id) {
    is_live[static_cast<size_t>(id)] = true;
    live += bytes_of(graph_, values_[static_cast<size_t>(id)]);
  };
  for_each(file_graph_.inputs(), begin);
  for_each(file_graph_.outputs(), [&](int32_t id) { last_use[static_cast<size_t>(id)] = ops; });
  for_each(file_graph_.inputs(), [&](int32_t id) { last_use[static_cast<size_t>(id)] = ops; });
  double most = live;
  for (size_t i = 0; i < ops; ++i) {
    const auto* op = file_graph_.operators()->Get(static_cast<fb::uoffset_t>(i));
    for_each(op->outputs(), begin);
    most = std::max(most, live + temporary_[i]);
    for (const auto* ids : {op->inputs(), op->outputs()}) {
      for_each(ids, [&](int32_t id) {
        const auto place = static_cast<size_t>(std::max(id, 0));
        if (id < 0 || !is_live[place] || last_use[place] != i) return;
        is_live[place] = false;
        live -= bytes_of(graph_, values_[place]);
      });
    }
  }
  cost_.bytes += most;
}

}  // namespace

void check_runnable(const TfliteFile& file) { FileChecker(file).run(); }

}  // namespace whisper_s4y
