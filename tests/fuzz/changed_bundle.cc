#include "fuzz/changed_bundle.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "models/random_checkpoint.h"
#include "models/recipe_search.h"
#include "models/write_bundle.h"
#include "support/files.h"
#include "tflite/model_objects.h"

namespace whisper_s4y {
namespace {

using objects::ModelT;

constexpr size_t kInline = 4096;  // larger constants go behind the flatbuffer
constexpr size_t kMostChanges = 12;

/// Bundles as `convert` writes them, in each number format.
std::string make_bundle(const std::string& format) {
  const TemporaryFolder folder;
  BundleOptions options;
  const Checkpoint checkpoint = testing::random_checkpoint(testing::small_config(32, 2, 1));
  options.recipe = recipe_of_name(format, checkpoint);
  write_bundle(checkpoint, folder / "m.tflite", options);
  return read_file(folder / "m.tflite");
}

/// The same file with its large constants behind the flatbuffer.
std::string with_constants_behind(const std::string& bundle) {
  constexpr size_t kAlignment = 64;
  const std::unique_ptr<ModelT> model = ModelObjects(bundle).unpack();
  std::string behind;
  for (const auto& buffer : model->buffers) {
    if (buffer->data.size() <= kInline) continue;
    behind.resize((behind.size() + kAlignment - 1) / kAlignment * kAlignment);
    buffer->offset = 2 + behind.size();
    buffer->size = buffer->data.size();
    behind.append(buffer->data.begin(), buffer->data.end());
    buffer->data.clear();
  }
  const auto packed = [&] {
    flatbuffers::FlatBufferBuilder builder(1 << 20);
    builder.Finish(objects::Model::Pack(builder, model.get()), "TFL3");
    return std::string(reinterpret_cast<const char*>(builder.GetBufferPointer()),
                       builder.GetSize());
  };
  const size_t begin = (packed().size() + kAlignment - 1) / kAlignment * kAlignment;
  for (const auto& buffer : model->buffers) {
    if (buffer->offset > 1) buffer->offset += begin - 2;
  }
  std::string file = packed();
  file.resize(begin, '\0');
  return file + behind;
}

const ModelObjects& bundle(size_t which) {
  static const std::array<ModelObjects, 4> bundles{
      ModelObjects(with_constants_behind(make_bundle("none"))),
      ModelObjects(with_constants_behind(make_bundle("int8"))),
      ModelObjects(with_constants_behind(make_bundle("int4"))),
      ModelObjects(with_constants_behind(make_bundle("fp16")))};
  return bundles[which % bundles.size()];
}

/// Takes numbers from the script; zeros after its end.
class Script {
 public:
  explicit Script(std::span<const std::byte> bytes) : bytes_(bytes) {}

  [[nodiscard]] bool at_end() const { return bytes_.empty(); }

  template <typename T>
  T take() {
    T number{};
    const size_t count = std::min(sizeof(T), bytes_.size());
    std::memcpy(&number, bytes_.data(), count);
    bytes_ = bytes_.subspan(count);
    return number;
  }

  /// Below `end`, 0 when `end` is.
  size_t below(size_t end) { return end == 0 ? 0 : take<uint16_t>() % end; }

  /// A number at which something may happen, or any.
  int32_t number() {
    static constexpr std::array<int32_t, 40> kNumbers{
        0,    1,    -1,      2,       3,       4,       5,       6,         7,         8,
        15,   16,   31,      32,      63,      64,      65,      80,        127,       128,
        228,  256,  400,     447,     448,     449,     1499,    1500,      1501,      1531,
        3000, 4096, 1 << 16, 1 << 20, 1 << 24, 1 << 28, 1 << 30, INT32_MAX, INT32_MIN, -2};
    const auto choice = take<uint8_t>();
    return choice < kNumbers.size() ? kNumbers[choice]
           : choice < 240           ? static_cast<int32_t>(choice)
                                    : take<int32_t>();
  }

 private:
  std::span<const std::byte> bytes_;
};

template <typename T>
T* pick(Script& s, std::vector<std::unique_ptr<T>>& all) {
  return all.empty() ? nullptr : all[s.below(all.size())].get();
}

/// Replaces, adds, removes or swaps one.
template <typename T>
void change_list(Script& s, std::vector<T>& list) {
  const size_t at = s.below(list.size());
  switch (s.take<uint8_t>() % 4) {
    case 0:
      if (!list.empty()) list[at] = static_cast<T>(s.number());
      break;
    case 1:
      list.insert(list.begin() + static_cast<ptrdiff_t>(at), static_cast<T>(s.number()));
      break;
    case 2:
      if (!list.empty()) list.erase(list.begin() + static_cast<ptrdiff_t>(at));
      break;
    default:
      if (!list.empty()) std::swap(list[at], list[s.below(list.size())]);
  }
}

/// Takes one away, makes one twice or swaps two.
template <typename T>
void change_tables(Script& s, std::vector<std::unique_ptr<T>>& list) {
  if (list.empty()) return;
  const size_t at = s.below(list.size());
  switch (s.take<uint8_t>() % 3) {
    case 0:
      list.erase(list.begin() + static_cast<ptrdiff_t>(at));
      break;
    case 1:
      list.push_back(std::make_unique<T>(*list[at]));
      break;
    default:
      std::swap(list[at], list[s.below(list.size())]);
  }
}

void change_text(Script& s, std::string& text) {
  const size_t at = s.below(text.size() + 1);
  switch (s.take<uint8_t>() % 4) {
    case 0:
      if (at < text.size()) text[at] = s.take<char>();
      break;
    case 1:
      text.insert(text.begin() + static_cast<ptrdiff_t>(at), s.take<char>());
      break;
    case 2:
      text.erase(at, 1 + s.below(4));
      break;
    default:
      text = std::array<const char*, 6>{
          "step", "encode", "tokens", "self_k_0", "logits", ""}[s.below(6)];
  }
}

/// Puts a number in the place of one in a JSON text.
void change_json(Script& s, std::vector<uint8_t>& text) {
  std::vector<size_t> places;
  for (size_t i = 1; i < text.size(); ++i) {
    if (std::isdigit(text[i]) != 0 && std::isdigit(text[i - 1]) == 0) places.push_back(i);
  }
  if (places.empty()) return;
  const size_t begin = places[s.below(places.size())];
  size_t end = begin;
  while (end < text.size() && std::isdigit(text[end]) != 0) ++end;
  const std::string number = std::to_string(s.number());
  text.erase(text.begin() + static_cast<ptrdiff_t>(begin),
             text.begin() + static_cast<ptrdiff_t>(end));
  text.insert(text.begin() + static_cast<ptrdiff_t>(begin), number.begin(), number.end());
}

void change_tensor(Script& s, objects::TensorT& tensor) {
  switch (s.take<uint8_t>() % 8) {
    case 0:
    case 1:
      return change_list(s, tensor.shape);
    case 2:
      tensor.type = static_cast<objects::TensorType>(s.take<uint8_t>() % 24);
      return;
    case 3:
      tensor.buffer = static_cast<uint32_t>(s.number());
      return;
    case 4:
      return change_list(s, tensor.shape_signature);
    case 5:
      tensor.is_variable = true;
      return;
    case 6:
      tensor.sparsity = std::make_unique<objects::SparsityParametersT>();
      return;
    default:
      tensor.has_rank = !tensor.has_rank;
  }
}

void change_scales(Script& s, objects::TensorT& tensor) {
  if (!tensor.quantization)
    tensor.quantization = std::make_unique<objects::QuantizationParametersT>();
  objects::QuantizationParametersT& q = *tensor.quantization;
  switch (s.take<uint8_t>() % 6) {
    case 0:
      return change_list(s, q.scale);
    case 1:
      return change_list(s, q.zero_point);
    case 2:
      q.quantized_dimension = s.number();
      return;
    case 3:
      if (!q.scale.empty()) q.scale[0] = s.take<float>();
      return;
    case 4:
      q.details.Set(objects::BlockwiseQuantizationT());
      [[fallthrough]];
    default:
      if (auto* blocks = q.details.AsBlockwiseQuantization()) {
        const std::array<int32_t*, 3> fields{&blocks->scales, &blocks->zero_points,
                                             &blocks->block_size};
        *fields[s.below(fields.size())] = s.number();
      }
  }
}

void change_options(Script& s, objects::OperatorT& op) {
  auto& options = op.builtin_options;
  const int32_t number = s.number();
  const auto activation = static_cast<objects::ActivationFunctionType>(number);
  const auto type = static_cast<objects::TensorType>(number);
  const size_t field = s.below(4);
  if (auto* o = options.AsConv2DOptions()) {
    const std::array<int32_t*, 4> numbers{&o->stride_w, &o->stride_h, &o->dilation_w_factor,
                                          &o->dilation_h_factor};
    *numbers[field] = number;
    if (s.take<uint8_t>() % 2 == 0) o->padding = static_cast<objects::Padding>(number);
  } else if (auto* o = options.AsFullyConnectedOptions()) {
    if (field == 0) o->fused_activation_function = activation;
    if (field == 1) {
      o->weights_format = static_cast<objects::FullyConnectedOptionsWeightsFormat>(number);
    };
    if (field == 2) o->keep_num_dims = !o->keep_num_dims;
    if (field == 3) o->asymmetric_quantize_inputs = !o->asymmetric_quantize_inputs;
  } else if (auto* o = options.AsSoftmaxOptions()) {
    o->beta = s.take<float>();
  } else if (auto* o = options.AsConcatenationOptions()) {
    if (field != 1) o->axis = number;
    if (field == 1) o->fused_activation_function = activation;
  } else if (auto* o = options.AsAddOptions()) {
    o->fused_activation_function = activation;
  } else if (auto* o = options.AsMulOptions()) {
    o->fused_activation_function = activation;
  } else if (auto* o = options.AsReshapeOptions()) {
    change_list(s, o->new_shape);
  } else if (auto* o = options.AsGatherOptions()) {
    (field % 2 == 0 ? o->axis : o->batch_dims) = number;
  } else if (auto* o = options.AsReducerOptions()) {
    o->keep_dims = !o->keep_dims;
  } else if (auto* o = options.AsSplitOptions()) {
    o->num_splits = number;
  } else if (auto* o = options.AsCastOptions()) {
    (field % 2 == 0 ? o->in_data_type : o->out_data_type) = type;
  } else if (auto* o = options.AsArgMaxOptions()) {
    o->output_type = type;
  } else if (auto* o = options.AsMirrorPadOptions()) {
    o->mode = static_cast<objects::MirrorPadMode>(number);
  } else if (auto* o = options.AsWhileOptions()) {
    (field % 2 == 0 ? o->cond_subgraph_index : o->body_subgraph_index) = number;
  } else if (auto* o = options.AsBatchMatMulOptions()) {
    if (field == 0) o->adj_x = !o->adj_x;
    if (field == 1) o->adj_y = !o->adj_y;
    if (field >= 2) o->asymmetric_quantize_inputs = true;
  } else if (auto* o = options.AsGeluOptions()) {
    o->approximate = !o->approximate;
  } else {
    options.Set(objects::WhileOptionsT());
  }
}

void change_op(Script& s, ModelT& model, objects::SubGraphT& graph, objects::OperatorT& op) {
  const auto tensor = [&] { return static_cast<int32_t>(s.below(graph.tensors.size())); };
  switch (s.take<uint8_t>() % 8) {
    case 0:
      op.opcode_index = static_cast<uint32_t>(s.below(model.operator_codes.size() + 1));
      return;
    case 1:
      if (!op.inputs.empty()) op.inputs[s.below(op.inputs.size())] = tensor();
      return;
    case 2:
      if (!op.outputs.empty()) op.outputs[s.below(op.outputs.size())] = tensor();
      return;
    case 3:
      return change_list(s, op.inputs);
    case 4:
      return change_list(s, op.outputs);
    case 5:
      op.builtin_options.Reset();
      return;
    default:
      change_options(s, op);
  }
}

void change_buffer(Script& s, objects::BufferT& buffer) {
  switch (s.take<uint8_t>() % 6) {
    case 0:
      buffer.offset = static_cast<uint64_t>(static_cast<int64_t>(s.number()));
      return;
    case 1:
      buffer.size = static_cast<uint64_t>(static_cast<int64_t>(s.number()));
      return;
    case 2:
      buffer.offset += static_cast<uint64_t>(s.below(64));
      return;
    case 3:
      buffer.data.resize(s.below(256));
      return;
    default:  // a number of an axis, a shape, a padding
      if (buffer.data.size() >= sizeof(int32_t)) {
        const int32_t number = s.number();
        const size_t at = s.below(buffer.data.size() / sizeof(number));
        std::memcpy(buffer.data.data() + at * sizeof(number), &number, sizeof(number));
      }
  }
}

void change_signature(Script& s, ModelT& model) {
  objects::SignatureDefT* signature = pick(s, model.signature_defs);
  if (signature == nullptr) return;
  auto& maps = s.take<uint8_t>() % 2 == 0 ? signature->inputs : signature->outputs;
  objects::TensorMapT* entry = pick(s, maps);
  switch (s.take<uint8_t>() % 7) {
    case 0:
      return change_text(s, signature->signature_key);
    case 1:
      signature->subgraph_index = static_cast<uint32_t>(s.below(model.subgraphs.size() + 1));
      return;
    case 2:
      if (entry != nullptr) change_text(s, entry->name);
      return;
    case 3:
      if (entry != nullptr) entry->tensor_index = static_cast<uint32_t>(s.number());
      return;
    case 4:
      return change_tables(s, maps);
    case 5:
      return change_tables(s, model.signature_defs);
    default:
      if (s.take<uint8_t>() % 16 == 0) model.signature_defs.clear();
  }
}

void change_metadata(Script& s, ModelT& model) {
  objects::MetadataT* entry = pick(s, model.metadata);
  if (entry == nullptr) return;
  objects::BufferT* buffer =
      entry->buffer < model.buffers.size() ? model.buffers[entry->buffer].get() : nullptr;
  switch (s.take<uint8_t>() % 6) {
    case 0:
      return change_text(s, entry->name);
    case 1:
      entry->buffer = static_cast<uint32_t>(s.below(model.buffers.size()));
      return;
    case 2:
      if (buffer != nullptr && !buffer->data.empty()) {
        buffer->data[s.below(buffer->data.size())] = s.take<uint8_t>();
      }
      return;
    default:
      if (buffer != nullptr) change_json(s, buffer->data);
  }
}

/// The same size everywhere instead of another, so that shapes still fit one another.
void change_sizes(Script& s, ModelT& model, objects::SubGraphT& graph) {
  const int32_t from = s.number();
  const int32_t to = s.number();
  const auto change = [&](objects::SubGraphT& changed) {
    for (const auto& tensor : changed.tensors) std::ranges::replace(tensor->shape, from, to);
  };
  if (s.take<uint8_t>() % 2 == 0) return change(graph);
  for (const auto& each : model.subgraphs) change(*each);
}

void change_something(Script& s, ModelT& model) {
  const auto kind = s.take<uint8_t>() % 20;
  objects::SubGraphT* graph = pick(s, model.subgraphs);
  if (graph == nullptr) return;
  objects::TensorT* tensor = pick(s, graph->tensors);
  objects::OperatorT* op = pick(s, graph->operators);
  if (tensor == nullptr || op == nullptr) return;
  switch (kind) {
    case 0:
    case 1:
    case 2:
      return change_tensor(s, *tensor);
    case 3:
    case 4:
    case 5:
      return change_op(s, model, *graph, *op);
    case 6:
    case 7:
      return change_options(s, *op);
    case 8:
    case 9:
      if (objects::BufferT* buffer = pick(s, model.buffers)) change_buffer(s, *buffer);
      return;
    case 10:
      return change_scales(s, *tensor);
    case 11:
      return change_signature(s, model);
    case 12:
      return change_metadata(s, model);
    case 13:
      return change_sizes(s, model, *graph);
    case 14:
      return change_list(s, s.take<uint8_t>() % 2 == 0 ? graph->inputs : graph->outputs);
    case 15:
      return change_tables(s, graph->operators);
    case 16:
      return change_tables(s, graph->tensors);
    case 17:
      return change_tables(s, model.subgraphs);
    case 18:
      return change_tables(s, model.buffers);
    default:
      if (objects::OperatorCodeT* code = pick(s, model.operator_codes)) {
        const bool changes_code = s.take<uint8_t>() % 2 == 0;
        const int32_t number = s.number();
        if (changes_code) {
          code->builtin_code = static_cast<objects::BuiltinOperator>(number);
        } else {
          code->version = number;
        }
      }
  }
}

}  // namespace

std::string changed_bundle(std::span<const std::byte> script) {
  Script s(script);
  const ModelObjects& base = bundle(s.take<uint8_t>());
  const std::unique_ptr<ModelT> model = base.unpack();
  for (size_t i = 0; i < kMostChanges && !s.at_end(); ++i) change_something(s, *model);
  return base.pack(*model);
}

}  // namespace whisper_s4y
