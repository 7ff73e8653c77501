// The model as it is built: subgraphs of tensors and ops, signatures, buffers, metadata. The
// builders of graph/ops.h add to it, tflite/writer.h writes it out.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "graph/constant.h"
#include "graph/dtype.h"

namespace whisper_s4y {

/// Operators of the TFLite schema; the numbers are those of BuiltinOperator.
enum class OpCode : int32_t {
  add = 0,
  concatenation = 2,
  conv_2d = 3,
  dequantize = 6,
  embedding_lookup = 7,
  floor = 8,
  fully_connected = 9,
  logistic = 14,
  mul = 18,
  relu = 19,
  reshape = 22,
  softmax = 25,
  tanh = 28,
  pad = 34,
  gather = 36,
  transpose = 39,
  mean = 40,
  sub = 41,
  div = 42,
  strided_slice = 45,
  exp = 47,
  split = 49,
  cast = 53,
  maximum = 55,
  arg_max = 56,
  minimum = 57,
  less = 58,
  greater = 61,
  greater_equal = 62,
  less_equal = 63,
  slice = 65,
  equal = 71,
  not_equal = 72,
  log = 73,
  sum = 74,
  sqrt = 75,
  rsqrt = 76,
  reduce_max = 82,
  pack = 83,
  logical_or = 84,
  logical_and = 86,
  logical_not = 87,
  square = 92,
  fill = 94,
  squared_difference = 99,
  mirror_pad = 100,
  while_loop = 119,
  select_v2 = 123,
  batch_matmul = 126,
  broadcast_to = 130,
  gelu = 150,
  dynamic_update_slice = 151,
};

[[nodiscard]] std::string_view name_of(OpCode code);

// Options of the ops that have any; one struct per options table of the schema.
struct ConcatenationAttributes {
  int axis = 0;
};
struct Conv2dAttributes {
  int stride_h = 1;
  int stride_w = 1;
  bool same_padding = false;
};
struct FullyConnectedAttributes {
  bool asymmetric_quantize_inputs = false;
};
struct ReshapeAttributes {
  Shape new_shape;
};
struct SoftmaxAttributes {};
struct GatherAttributes {
  int axis = 0;
};
struct ReducerAttributes {
  bool keep_dims = false;
};
struct CastAttributes {
  DType from = DType::f32;
  DType to = DType::f32;
};
struct ArgMaxAttributes {};
struct PackAttributes {
  int count = 0;
  int axis = 0;
};
struct SplitAttributes {
  int count = 0;
};
struct MirrorPadAttributes {};
struct WhileAttributes {
  int condition = 0;
  int body = 0;
};  // indices of subgraphs
struct BatchMatmulAttributes {
  bool transpose_a = false;
  bool transpose_b = false;
};
struct GeluAttributes {};
struct StridedSliceAttributes {
  int shrink_axis_mask = 0;
};

using Attributes =
    std::variant<std::monostate, ConcatenationAttributes, Conv2dAttributes,
                 FullyConnectedAttributes, ReshapeAttributes, SoftmaxAttributes, GatherAttributes,
                 ReducerAttributes, CastAttributes, ArgMaxAttributes, PackAttributes,
                 SplitAttributes, MirrorPadAttributes, WhileAttributes, BatchMatmulAttributes,
                 GeluAttributes, StridedSliceAttributes>;

/// Index of a tensor in its subgraph.
struct Value {
  int id = -1;
  [[nodiscard]] bool valid() const { return id >= 0; }
};

/// How the integers of a constant stand for real numbers: value = stored * scale.
struct Quantization {
  std::vector<float> scales;  // one per index of dimension 0, or empty for blockwise scales
  Value block_scales;         // blockwise: float16 constant [rows, columns / block_size]
  int block_size = 0;         // blockwise: numbers of a row that share a scale; 0 otherwise
};

struct Tensor {
  std::string name;  // within its graph, where several may have the same
  DType dtype = DType::f32;
  Shape shape;
  int buffer = 0;  // 0: not a constant
  std::shared_ptr<const Quantization> quantization;
};

struct Op {
  OpCode code{};
  int version = 1;
  std::vector<Value> inputs;  // an absent optional input is an invalid Value
  std::vector<Value> outputs;
  Attributes attributes;
};

/// A named input or output of a signature.
using NamedValue = std::pair<std::string, Value>;

class Module;

/// One subgraph. Tensors and ops are only ever appended, in order of execution.
class Graph {
 public:
  Graph(Module& module, std::string name) : module_(&module), name_(std::move(name)) {}

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] Module& module() { return *module_; }
  [[nodiscard]] const Tensor& tensor(Value value) const;
  [[nodiscard]] const Shape& shape(Value value) const { return tensor(value).shape; }
  [[nodiscard]] DType dtype(Value value) const { return tensor(value).dtype; }
  [[nodiscard]] bool is_constant(Value value) const { return tensor(value).buffer != 0; }

  Value input(std::string name, DType dtype, Shape shape);
  void set_outputs(std::vector<Value> outputs) { outputs_ = std::move(outputs); }
  void rename(Value value, std::string name);

  /// A tensor that the next op writes, and is named for.
  Value new_tensor(DType dtype, Shape shape);
  void append(Op op);
  /// Appends an op with a single output of the given type and shape.
  Value append(OpCode code, std::vector<Value> inputs, DType dtype, Shape shape,
               Attributes attributes = {}, int version = 1);

  /// Constants. Equal ones share a buffer throughout the module, and a tensor in this subgraph.
  Value constant(std::string name, DType dtype, Shape shape,
                 std::shared_ptr<const ConstantData> data,
                 std::shared_ptr<const Quantization> quantization = nullptr);
  Value constant(const Rows& source, DType dtype = DType::f32);
  Value constant(float number);
  Value constant_i32(std::vector<int32_t> numbers);
  Value constant_i32(std::vector<int32_t> numbers, Shape shape);

  [[nodiscard]] const std::deque<Tensor>& tensors() const { return tensors_; }
  [[nodiscard]] const std::vector<Op>& ops() const { return ops_; }
  [[nodiscard]] const std::vector<Value>& inputs() const { return inputs_; }
  [[nodiscard]] const std::vector<Value>& outputs() const { return outputs_; }

 private:
  friend class Module;
  friend class Scope;
  /// Drops ops none of whose outputs is used, then tensors nobody mentions. Returns the new place
  /// of each tensor, -1 for those dropped.
  std::vector<int> drop_dead_ops();

  Module* module_;
  std::string name_;
  std::string path_;            // of the scopes, "layers.0/self_attn/"
  std::deque<Tensor> tensors_;  // references to them stay good while others are added
  std::vector<Op> ops_;
  std::vector<Value> inputs_;
  std::vector<Value> outputs_;
  std::unordered_map<std::string, Value> constants_;
};

/// While it lives, what is computed in the graph has this name in its path:
/// "layers.0/self_attn/q_proj/fully_connected".
class Scope {
 public:
  Scope(Graph& graph, std::string_view name);
  ~Scope() { graph_.path_.resize(outside_); }
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

 private:
  Graph& graph_;
  size_t outside_;  // length of the path around it
};

struct Signature {
  std::string key;
  int graph = 0;
  std::vector<NamedValue> inputs;
  std::vector<NamedValue> outputs;
};

/// The whole model: what becomes one .tflite file.
class Module {
 public:
  Module();
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  Graph& add_graph(std::string name);
  [[nodiscard]] int index_of(const Graph& graph) const;
  /// Makes the graph callable as `key`; sets its outputs.
  void add_signature(std::string key, Graph& graph, std::vector<NamedValue> outputs);
  void add_metadata(std::string name, std::string_view bytes);
  void set_description(std::string description) { description_ = std::move(description); }

  /// Index of the buffer with these bytes; equal keys give the same buffer.
  int add_buffer(std::shared_ptr<const ConstantData> data);

  /// Drops dead ops and tensors of every subgraph, then buffers nobody mentions. Values held
  /// outside the module are no longer good afterwards: call it last.
  void drop_dead_code();

  [[nodiscard]] const std::vector<std::unique_ptr<Graph>>& graphs() const { return graphs_; }
  [[nodiscard]] const std::vector<Signature>& signatures() const { return signatures_; }
  [[nodiscard]] const std::vector<std::shared_ptr<const ConstantData>>& buffers() const {
    return buffers_;
  }
  [[nodiscard]] const std::vector<std::pair<std::string, int>>& metadata() const {
    return metadata_;
  }
  [[nodiscard]] const std::string& description() const { return description_; }

 private:
  std::vector<std::unique_ptr<Graph>> graphs_;
  std::vector<Signature> signatures_;
  std::vector<std::shared_ptr<const ConstantData>> buffers_;  // [0] is the empty buffer
  std::unordered_map<std::string, int> buffer_of_key_;
  std::vector<std::pair<std::string, int>> metadata_;  // name, buffer
  std::string description_;
};

}  // namespace whisper_s4y
