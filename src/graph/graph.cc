#include "graph/graph.h"

#include <algorithm>

#include "common/ascii.h"
#include "common/fail.h"

namespace whisper_s4y {

std::string_view name_of(OpCode code) {
  switch (code) {
    case OpCode::add:
      return "ADD";
    case OpCode::concatenation:
      return "CONCATENATION";
    case OpCode::conv_2d:
      return "CONV_2D";
    case OpCode::dequantize:
      return "DEQUANTIZE";
    case OpCode::embedding_lookup:
      return "EMBEDDING_LOOKUP";
    case OpCode::floor:
      return "FLOOR";
    case OpCode::fully_connected:
      return "FULLY_CONNECTED";
    case OpCode::logistic:
      return "LOGISTIC";
    case OpCode::mul:
      return "MUL";
    case OpCode::relu:
      return "RELU";
    case OpCode::reshape:
      return "RESHAPE";
    case OpCode::softmax:
      return "SOFTMAX";
    case OpCode::tanh:
      return "TANH";
    case OpCode::pad:
      return "PAD";
    case OpCode::gather:
      return "GATHER";
    case OpCode::transpose:
      return "TRANSPOSE";
    case OpCode::mean:
      return "MEAN";
    case OpCode::sub:
      return "SUB";
    case OpCode::div:
      return "DIV";
    case OpCode::strided_slice:
      return "STRIDED_SLICE";
    case OpCode::exp:
      return "EXP";
    case OpCode::split:
      return "SPLIT";
    case OpCode::cast:
      return "CAST";
    case OpCode::maximum:
      return "MAXIMUM";
    case OpCode::arg_max:
      return "ARG_MAX";
    case OpCode::minimum:
      return "MINIMUM";
    case OpCode::less:
      return "LESS";
    case OpCode::greater:
      return "GREATER";
    case OpCode::greater_equal:
      return "GREATER_EQUAL";
    case OpCode::less_equal:
      return "LESS_EQUAL";
    case OpCode::slice:
      return "SLICE";
    case OpCode::equal:
      return "EQUAL";
    case OpCode::not_equal:
      return "NOT_EQUAL";
    case OpCode::log:
      return "LOG";
    case OpCode::sum:
      return "SUM";
    case OpCode::sqrt:
      return "SQRT";
    case OpCode::rsqrt:
      return "RSQRT";
    case OpCode::reduce_max:
      return "REDUCE_MAX";
    case OpCode::pack:
      return "PACK";
    case OpCode::logical_or:
      return "LOGICAL_OR";
    case OpCode::logical_and:
      return "LOGICAL_AND";
    case OpCode::logical_not:
      return "LOGICAL_NOT";
    case OpCode::square:
      return "SQUARE";
    case OpCode::fill:
      return "FILL";
    case OpCode::squared_difference:
      return "SQUARED_DIFFERENCE";
    case OpCode::mirror_pad:
      return "MIRROR_PAD";
    case OpCode::while_loop:
      return "WHILE";
    case OpCode::select_v2:
      return "SELECT_V2";
    case OpCode::batch_matmul:
      return "BATCH_MATMUL";
    case OpCode::broadcast_to:
      return "BROADCAST_TO";
    case OpCode::gelu:
      return "GELU";
    case OpCode::dynamic_update_slice:
      return "DYNAMIC_UPDATE_SLICE";
  }
  return "UNKNOWN";
}

const Tensor& Graph::tensor(Value value) const {
  if (value.id < 0 || static_cast<size_t>(value.id) >= tensors_.size()) {
    fail("Graph {} has no tensor {}.", name_, value.id);
  }
  return tensors_[static_cast<size_t>(value.id)];
}

Value Graph::new_tensor(DType dtype, Shape shape) {
  const Value value{static_cast<int>(tensors_.size())};
  tensors_.push_back({.name = {}, .dtype = dtype, .shape = std::move(shape)});
  return value;
}

void Graph::append(Op op) {
  const std::string name = lower_case(name_of(op.code));
  for (const Value output : op.outputs) rename(output, path_ + name);
  ops_.push_back(std::move(op));
}

Scope::Scope(Graph& graph, std::string_view name) : graph_(graph), outside_(graph.path_.size()) {
  graph_.path_.append(name).append("/");
}

Value Graph::input(std::string name, DType dtype, Shape shape) {
  const Value value = new_tensor(dtype, std::move(shape));
  rename(value, std::move(name));
  inputs_.push_back(value);
  return value;
}

void Graph::rename(Value value, std::string name) {
  tensors_.at(static_cast<size_t>(value.id)).name = std::move(name);
}

Value Graph::append(OpCode code, std::vector<Value> inputs, DType dtype, Shape shape,
                    Attributes attributes, int version) {
  const Value output = new_tensor(dtype, std::move(shape));
  append(Op{.code = code,
            .version = version,
            .inputs = std::move(inputs),
            .outputs = {output},
            .attributes = std::move(attributes)});
  return output;
}

Value Graph::constant(std::string name, DType dtype, Shape shape,
                      std::shared_ptr<const ConstantData> data,
                      std::shared_ptr<const Quantization> quantization) {
  if (dtype != DType::string && data->size() != byte_count(dtype, shape)) {
    fail("Constant {} of type {} and shape {} takes {} bytes, its data has {}.", name,
         name_of(dtype), to_string(shape), byte_count(dtype, shape), data->size());
  }
  const std::string key = fmt::format("{}|{}|{}|{}", name_of(dtype), to_string(shape),
                                      quantization != nullptr, data->key());
  if (const auto found = constants_.find(key); found != constants_.end()) return found->second;
  const Value value = new_tensor(dtype, std::move(shape));
  Tensor& tensor = tensors_.back();
  tensor.name = std::move(name);
  tensor.buffer = module_->add_buffer(std::move(data));
  tensor.quantization = std::move(quantization);
  constants_.emplace(key, value);
  return value;
}

Value Graph::constant(const Rows& source, DType dtype) {
  return constant(source->name(), dtype, source->shape(), float_constant(source, dtype));
}

Value Graph::constant(float number) {
  return constant(fmt::format("{}", number), DType::f32, {},
                  bytes_constant(std::as_bytes(std::span(&number, 1))));
}

Value Graph::constant_i32(std::vector<int32_t> numbers) {
  Shape shape{static_cast<int32_t>(numbers.size())};
  return constant_i32(std::move(numbers), std::move(shape));
}

Value Graph::constant_i32(std::vector<int32_t> numbers, Shape shape) {
  std::string name = "i32";
  for (size_t i = 0; i < std::min<size_t>(numbers.size(), 6); ++i) {
    name += fmt::format("_{}", numbers[i]);
  }
  return constant(std::move(name), DType::i32, std::move(shape),
                  bytes_constant(std::as_bytes(std::span<const int32_t>(numbers))));
}

std::vector<int> Graph::drop_dead_ops() {
  std::vector<bool> used(tensors_.size(), false);
  for (const Value value : outputs_) used[static_cast<size_t>(value.id)] = true;
  std::vector<Op> kept;
  for (auto op = ops_.rbegin(); op != ops_.rend(); ++op) {
    const bool needed = std::any_of(op->outputs.begin(), op->outputs.end(), [&](Value output) {
      return used[static_cast<size_t>(output.id)];
    });
    if (!needed) continue;
    for (const Value input : op->inputs) {
      if (input.valid()) used[static_cast<size_t>(input.id)] = true;
    }
    for (const Value output : op->outputs) used[static_cast<size_t>(output.id)] = true;
    kept.push_back(std::move(*op));
  }
  std::reverse(kept.begin(), kept.end());
  ops_ = std::move(kept);
  for (const Value value : inputs_) used[static_cast<size_t>(value.id)] = true;
  for (size_t i = 0; i < tensors_.size(); ++i) {
    const auto& quantization = tensors_[i].quantization;
    if (used[i] && quantization && quantization->block_scales.valid()) {
      used[static_cast<size_t>(quantization->block_scales.id)] = true;
    }
  }
  std::vector<int> place(tensors_.size(), -1);
  std::deque<Tensor> tensors;
  for (size_t i = 0; i < tensors_.size(); ++i) {
    if (!used[i]) continue;
    place[i] = static_cast<int>(tensors.size());
    tensors.push_back(std::move(tensors_[i]));
  }
  tensors_ = std::move(tensors);
  const auto move = [&](std::vector<Value>& values) {
    for (Value& value : values) {
      if (value.valid()) value.id = place[static_cast<size_t>(value.id)];
    }
  };
  for (Op& op : ops_) {
    move(op.inputs);
    move(op.outputs);
  }
  move(inputs_);
  move(outputs_);
  for (Tensor& tensor : tensors_) {
    if (tensor.quantization == nullptr || !tensor.quantization->block_scales.valid()) continue;
    auto moved = std::make_shared<Quantization>(*tensor.quantization);
    moved->block_scales.id = place[static_cast<size_t>(moved->block_scales.id)];
    tensor.quantization = std::move(moved);
  }
  return place;
}

Module::Module() {
  const std::shared_ptr<const ConstantData> empty = bytes_constant({});
  buffers_.push_back(empty);
}

Graph& Module::add_graph(std::string name) {
  return *graphs_.emplace_back(std::make_unique<Graph>(*this, std::move(name)));
}

int Module::index_of(const Graph& graph) const {
  for (size_t i = 0; i < graphs_.size(); ++i) {
    if (graphs_[i].get() == &graph) return static_cast<int>(i);
  }
  fail("Graph {} is not part of this module.", graph.name());
}

void Module::add_signature(std::string key, Graph& graph, std::vector<NamedValue> outputs) {
  Signature signature{.key = std::move(key), .graph = index_of(graph), .inputs = {}, .outputs = {}};
  for (const Value input : graph.inputs()) {
    signature.inputs.emplace_back(graph.tensor(input).name, input);
  }
  std::vector<Value> values;
  for (const auto& [name, value] : outputs) {
    values.push_back(value);
    graph.rename(value, name);
  }
  graph.set_outputs(std::move(values));
  signature.outputs = std::move(outputs);
  signatures_.push_back(std::move(signature));
}

void Module::add_metadata(std::string name, std::string_view bytes) {
  metadata_.emplace_back(std::move(name),
                         add_buffer(bytes_constant(std::as_bytes(std::span(bytes)))));
}

int Module::add_buffer(std::shared_ptr<const ConstantData> data) {
  const auto [found, added] =
      buffer_of_key_.try_emplace(data->key(), static_cast<int>(buffers_.size()));
  if (added) buffers_.push_back(std::move(data));
  return found->second;
}

void Module::drop_dead_code() {
  for (size_t i = 0; i < graphs_.size(); ++i) {
    const std::vector<int> moved = graphs_[i]->drop_dead_ops();
    for (Signature& signature : signatures_) {
      if (signature.graph != static_cast<int>(i)) continue;
      for (auto* values : {&signature.inputs, &signature.outputs}) {
        for (auto& [name, value] : *values) value.id = moved[static_cast<size_t>(value.id)];
      }
    }
  }
  std::vector<int> place(buffers_.size(), 0);
  const auto mark = [&](int buffer) { place[static_cast<size_t>(buffer)] = 1; };
  for (const auto& graph : graphs_) {
    for (const Tensor& tensor : graph->tensors_) mark(tensor.buffer);
  }
  for (const auto& [name, buffer] : metadata_) mark(buffer);
  mark(0);
  std::vector<std::shared_ptr<const ConstantData>> kept;
  for (size_t i = 0; i < buffers_.size(); ++i) {
    if (place[i] == 0) continue;
    place[i] = static_cast<int>(kept.size());
    kept.push_back(std::move(buffers_[i]));
  }
  buffers_ = std::move(kept);
  for (const auto& graph : graphs_) {
    for (Tensor& tensor : graph->tensors_)
      tensor.buffer = place[static_cast<size_t>(tensor.buffer)];
  }
  for (auto& [name, buffer] : metadata_) buffer = place[static_cast<size_t>(buffer)];
  for (auto& [key, buffer] : buffer_of_key_) buffer = place[static_cast<size_t>(buffer)];
}

}  // namespace whisper_s4y
