#include "tflite/writer.h"

#include <flatbuffers/flatbuffers.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>

#include "common/content_hash.h"
#include "common/fail.h"
#include "tflite/schema_generated.h"

namespace whisper_s4y {
namespace {

namespace fb = ::flatbuffers;

constexpr uint64_t kAlignment = 64;          // of the bytes of every constant, in the file
constexpr uint64_t kInlineAlways = 1 << 12;  // buffers up to this stay inside the flatbuffer
// TFLite takes offsets and sizes of 0 and 1 for "not there".
constexpr uint64_t kPlaceholder = 2;

using OptionsPair = std::pair<tflite::BuiltinOptions, fb::Offset<void>>;

tflite::TensorType tensor_type(DType type) { return static_cast<tflite::TensorType>(type); }

/// Names of tensors in the file: GRAPH/NAME, and where that is taken GRAPH/NAME_2 and so on. Tools
/// that calibrate or show a model know tensors by their names alone.
class TensorNames {
 public:
  /// Of all tensors of a graph. What it takes and gives comes first, so that it keeps its name.
  std::vector<std::string> of(const Graph& graph) {
    std::vector<std::string> names(graph.tensors().size());
    const auto name = [&](size_t index) {
      if (!names[index].empty()) return;
      names[index] = unused(fmt::format("{}/{}", graph.name(), graph.tensors()[index].name));
    };
    for (const auto* values : {&graph.inputs(), &graph.outputs()}) {
      for (const Value value : *values) name(static_cast<size_t>(value.id));
    }
    for (size_t i = 0; i < names.size(); ++i) name(i);
    return names;
  }

 private:
  std::string unused(std::string name) {
    int& count = counts_[name];
    if (++count > 1) {
      // A tensor may have been called so from the beginning.
      return unused(fmt::format("{}_{}", name, count));
    }
    return name;
  }

  std::unordered_map<std::string, int> counts_;  // how often a name was wanted
};

/// Builds everything of the file but the bytes of the constants.
class Skeleton {
 public:
  Skeleton(const Module& module, const std::vector<bool>& outside)
      : module_(module), outside_(outside) {}

  fb::DetachedBuffer build() {
    std::vector<fb::Offset<tflite::SubGraph>> graphs;
    for (const auto& graph : module_.graphs()) graphs.push_back(subgraph(*graph));
    std::vector<fb::Offset<tflite::OperatorCode>> codes;
    for (const auto& [code, version] : codes_) {
      const auto number = static_cast<int32_t>(code);
      codes.push_back(
          tflite::CreateOperatorCode(builder_, static_cast<int8_t>(std::min(number, 127)), 0,
                                     version, static_cast<tflite::BuiltinOperator>(number)));
    }
    std::vector<fb::Offset<tflite::Metadata>> metadata;
    for (const auto& [name, buffer] : module_.metadata()) {
      metadata.push_back(tflite::CreateMetadata(builder_, builder_.CreateString(name),
                                                static_cast<uint32_t>(buffer)));
    }
    std::vector<fb::Offset<tflite::SignatureDef>> signatures;
    for (const Signature& signature : module_.signatures()) {
      const auto inputs = tensor_maps(signature.inputs);
      const auto outputs = tensor_maps(signature.outputs);
      const auto key = builder_.CreateString(signature.key);
      signatures.push_back(tflite::CreateSignatureDef(builder_, inputs, outputs, key,
                                                      static_cast<uint32_t>(signature.graph)));
    }
    const auto code_vector = builder_.CreateVector(codes);
    const auto graph_vector = builder_.CreateVector(graphs);
    const auto description = builder_.CreateString(module_.description());
    const auto buffer_vector = buffers();
    const auto metadata_vector = builder_.CreateVector(metadata);
    const auto signature_vector = builder_.CreateVector(signatures);
    builder_.Finish(tflite::CreateModel(builder_, 3, code_vector, graph_vector, description,
                                        buffer_vector, 0, metadata_vector, signature_vector),
                    "TFL3");
    return builder_.Release();
  }

 private:
  fb::Offset<fb::Vector<fb::Offset<tflite::TensorMap>>> tensor_maps(
      const std::vector<NamedValue>& values) {
    std::vector<fb::Offset<tflite::TensorMap>> maps;
    for (const auto& [name, value] : values) {
      maps.push_back(tflite::CreateTensorMap(builder_, builder_.CreateString(name),
                                             static_cast<uint32_t>(value.id)));
    }
    return builder_.CreateVector(maps);
  }

  fb::Offset<fb::Vector<int32_t>> value_vector(const std::vector<Value>& values) {
    std::vector<int32_t> ids;
    for (const Value value : values) ids.push_back(value.id);
    return builder_.CreateVector(ids);
  }

  /// Buffers whose bytes follow later point to an empty vector for now; place_constants() below
  /// sets the real offsets.
  fb::Offset<fb::Vector<fb::Offset<tflite::Buffer>>> buffers() {
    const auto later = builder_.CreateVector(std::vector<uint8_t>());
    std::vector<fb::Offset<tflite::Buffer>> buffers;
    for (size_t i = 0; i < module_.buffers().size(); ++i) {
      if (module_.buffers()[i]->size() == 0) {
        buffers.push_back(tflite::CreateBuffer(builder_));
      } else if (outside_[i]) {
        buffers.push_back(tflite::CreateBuffer(builder_, 0, kPlaceholder, kPlaceholder));
      } else {
        buffers.push_back(tflite::CreateBuffer(builder_, later));
      }
    }
    return builder_.CreateVector(buffers);
  }

  fb::Offset<tflite::QuantizationParameters> quantization(const Tensor& tensor) {
    const auto& source = tensor.quantization;
    if (source == nullptr) return 0;
    // Several subgraphs share the scales of one weight; scales of blocks are tensors of a subgraph.
    if (source->block_size > 0) {
      const auto details = tflite::CreateBlockwiseQuantization(builder_, source->block_scales.id,
                                                               -1, source->block_size);
      return tflite::CreateQuantizationParameters(
          builder_, 0, 0, 0, 0, tflite::QuantizationDetails::BlockwiseQuantization,
          details.Union());
    }
    const auto [found, added] = quantizations_.try_emplace(source.get());
    if (added) {
      const auto scales = builder_.CreateVector(source->scales);
      auto& zeros = zeros_[source->scales.size()];
      if (zeros.IsNull()) {
        zeros = builder_.CreateVector(std::vector<int64_t>(source->scales.size(), 0));
      }
      found->second = tflite::CreateQuantizationParameters(builder_, 0, 0, scales, zeros);
    }
    return found->second;
  }

  fb::Offset<tflite::SubGraph> subgraph(const Graph& graph) {
    std::vector<fb::Offset<tflite::Tensor>> tensors;
    const std::vector<std::string> names = names_.of(graph);
    for (const Tensor& tensor : graph.tensors()) {
      const auto name = builder_.CreateString(names[tensors.size()]);
      auto& shape = shapes_[tensor.shape];
      if (shape.IsNull()) shape = builder_.CreateVector(tensor.shape);
      const auto scales = quantization(tensor);
      tensors.push_back(tflite::CreateTensor(builder_, shape, tensor_type(tensor.dtype),
                                             static_cast<uint32_t>(tensor.buffer), name, scales,
                                             false, 0, 0, true));
    }
    std::vector<fb::Offset<tflite::Operator>> operators;
    for (const Op& op : graph.ops()) {
      const auto inputs = value_vector(op.inputs);
      const auto outputs = value_vector(op.outputs);
      const auto [type, options] = builtin_options(op);
      operators.push_back(
          tflite::CreateOperator(builder_, code_index(op), inputs, outputs, type, options));
    }
    const auto tensor_vector = builder_.CreateVector(tensors);
    const auto inputs = value_vector(graph.inputs());
    const auto outputs = value_vector(graph.outputs());
    const auto operator_vector = builder_.CreateVector(operators);
    const auto name = builder_.CreateString(graph.name());
    return tflite::CreateSubGraph(builder_, tensor_vector, inputs, outputs, operator_vector, name);
  }

  uint32_t code_index(const Op& op) {
    const std::pair<OpCode, int> key{op.code, op.version};
    const auto found = std::find(codes_.begin(), codes_.end(), key);
    if (found != codes_.end()) return static_cast<uint32_t>(found - codes_.begin());
    codes_.push_back(key);
    return static_cast<uint32_t>(codes_.size() - 1);
  }

  template <typename Create>
  OptionsPair plain(tflite::BuiltinOptions type, Create create) {
    return {type, create(builder_).Union()};
  }

  OptionsPair builtin_options(const Op& op) {
    return std::visit([&](const auto& attributes) { return options_of(op.code, attributes); },
                      op.attributes);
  }

  OptionsPair options_of(OpCode code, std::monostate) {
    using enum tflite::BuiltinOptions;
    switch (code) {
      case OpCode::add:
        return plain(AddOptions, [](auto& b) { return tflite::CreateAddOptions(b); });
      case OpCode::sub:
        return plain(SubOptions, [](auto& b) { return tflite::CreateSubOptions(b); });
      case OpCode::mul:
        return plain(MulOptions, [](auto& b) { return tflite::CreateMulOptions(b); });
      case OpCode::div:
        return plain(DivOptions, [](auto& b) { return tflite::CreateDivOptions(b); });
      default:
        return {NONE, 0};  // the tables of the other ops are empty
    }
  }
  OptionsPair options_of(OpCode, const ConcatenationAttributes& a) {
    return {tflite::BuiltinOptions::ConcatenationOptions,
            tflite::CreateConcatenationOptions(builder_, a.axis).Union()};
  }
  OptionsPair options_of(OpCode, const Conv2dAttributes& a) {
    return {tflite::BuiltinOptions::Conv2DOptions,
            tflite::CreateConv2DOptions(
                builder_, a.same_padding ? tflite::Padding::SAME : tflite::Padding::VALID,
                a.stride_w, a.stride_h)
                .Union()};
  }
  OptionsPair options_of(OpCode, const FullyConnectedAttributes& a) {
    return {tflite::BuiltinOptions::FullyConnectedOptions,
            tflite::CreateFullyConnectedOptions(builder_, tflite::ActivationFunctionType::NONE,
                                                tflite::FullyConnectedOptionsWeightsFormat::DEFAULT,
                                                true, a.asymmetric_quantize_inputs)
                .Union()};
  }
  OptionsPair options_of(OpCode, const ReshapeAttributes& a) {
    const auto shape = builder_.CreateVector(a.new_shape);
    return {tflite::BuiltinOptions::ReshapeOptions,
            tflite::CreateReshapeOptions(builder_, shape).Union()};
  }
  OptionsPair options_of(OpCode, const SoftmaxAttributes&) {
    return {tflite::BuiltinOptions::SoftmaxOptions,
            tflite::CreateSoftmaxOptions(builder_, 1.0F).Union()};
  }
  OptionsPair options_of(OpCode, const GatherAttributes& a) {
    return {tflite::BuiltinOptions::GatherOptions,
            tflite::CreateGatherOptions(builder_, a.axis).Union()};
  }
  OptionsPair options_of(OpCode, const ReducerAttributes& a) {
    return {tflite::BuiltinOptions::ReducerOptions,
            tflite::CreateReducerOptions(builder_, a.keep_dims).Union()};
  }
  OptionsPair options_of(OpCode, const CastAttributes& a) {
    return {tflite::BuiltinOptions::CastOptions,
            tflite::CreateCastOptions(builder_, tensor_type(a.from), tensor_type(a.to)).Union()};
  }
  OptionsPair options_of(OpCode, const ArgMaxAttributes&) {
    return {tflite::BuiltinOptions::ArgMaxOptions,
            tflite::CreateArgMaxOptions(builder_, tensor_type(DType::i32)).Union()};
  }
  OptionsPair options_of(OpCode, const PackAttributes& a) {
    return {tflite::BuiltinOptions::PackOptions,
            tflite::CreatePackOptions(builder_, a.count, a.axis).Union()};
  }
  OptionsPair options_of(OpCode, const SplitAttributes& a) {
    return {tflite::BuiltinOptions::SplitOptions,
            tflite::CreateSplitOptions(builder_, a.count).Union()};
  }
  OptionsPair options_of(OpCode, const MirrorPadAttributes&) {
    return {tflite::BuiltinOptions::MirrorPadOptions,
            tflite::CreateMirrorPadOptions(builder_, tflite::MirrorPadMode::REFLECT).Union()};
  }
  OptionsPair options_of(OpCode, const WhileAttributes& a) {
    return {tflite::BuiltinOptions::WhileOptions,
            tflite::CreateWhileOptions(builder_, a.condition, a.body).Union()};
  }
  OptionsPair options_of(OpCode, const BatchMatmulAttributes& a) {
    return {tflite::BuiltinOptions::BatchMatMulOptions,
            tflite::CreateBatchMatMulOptions(builder_, a.transpose_a, a.transpose_b).Union()};
  }
  OptionsPair options_of(OpCode, const GeluAttributes&) {
    return {tflite::BuiltinOptions::GeluOptions, tflite::CreateGeluOptions(builder_).Union()};
  }
  OptionsPair options_of(OpCode, const StridedSliceAttributes& a) {
    return {tflite::BuiltinOptions::StridedSliceOptions,
            tflite::CreateStridedSliceOptions(builder_, 0, 0, 0, 0, a.shrink_axis_mask).Union()};
  }

  const Module& module_;
  const std::vector<bool>& outside_;
  fb::FlatBufferBuilder builder_{1 << 20};
  std::vector<std::pair<OpCode, int>> codes_;
  std::unordered_map<const Quantization*, fb::Offset<tflite::QuantizationParameters>>
      quantizations_;
  std::map<size_t, fb::Offset<fb::Vector<int64_t>>> zeros_;
  std::map<Shape, fb::Offset<fb::Vector<int32_t>>> shapes_;
  TensorNames names_;
};

uint64_t align_up(uint64_t position, uint64_t alignment) {
  return (position + alignment - 1) / alignment * alignment;
}

/// Chooses a place for the bytes of every buffer after the skeleton and points the skeleton there.
/// Returns the places; 0 for buffers without bytes.
std::vector<uint64_t> place_constants(const Module& module, const std::vector<bool>& outside,
                                      fb::DetachedBuffer& skeleton) {
  auto* model = fb::GetMutableRoot<tflite::Model>(skeleton.data());
  std::vector<uint64_t> places(module.buffers().size(), 0);
  uint64_t position = skeleton.size();
  for (const bool far : {false, true}) {
    for (size_t i = 0; i < places.size(); ++i) {
      const uint64_t size = module.buffers()[i]->size();
      if (size == 0 || outside[i] != far) continue;
      // A vector's length stands right before its bytes.
      position = align_up(position + (far ? 0 : sizeof(uint32_t)), kAlignment);
      places[i] = position;
      auto* buffer =
          const_cast<tflite::Buffer*>(model->buffers()->Get(static_cast<fb::uoffset_t>(i)));
      auto* table = reinterpret_cast<fb::Table*>(buffer);
      const auto address_of = [&](fb::voffset_t field) {
        return reinterpret_cast<uint8_t*>(table) + table->GetOptionalFieldOffset(field);
      };
      if (far) {
        fb::WriteScalar<uint64_t>(address_of(tflite::Buffer::VT_OFFSET), position);
        fb::WriteScalar<uint64_t>(address_of(tflite::Buffer::VT_SIZE), size);
      } else {
        uint8_t* field = address_of(tflite::Buffer::VT_DATA);
        const auto at = static_cast<uint64_t>(field - skeleton.data());
        fb::WriteScalar<fb::uoffset_t>(
            field, static_cast<fb::uoffset_t>(position - sizeof(uint32_t) - at));
      }
      position += size;
    }
  }
  return places;
}

/// Which buffers must lie after the flatbuffer for it to keep below the limit.
std::vector<bool> choose_outside(const Module& module, uint64_t limit) {
  std::vector<bool> outside(module.buffers().size(), false);
  uint64_t total = 1 << 24;  // more than any skeleton takes
  for (const auto& buffer : module.buffers()) total += buffer->size() + kAlignment;
  if (total <= limit) return outside;
  for (size_t i = 0; i < outside.size(); ++i) {
    outside[i] = module.buffers()[i]->size() > kInlineAlways;
  }
  for (const auto& [name, buffer] : module.metadata()) outside[static_cast<size_t>(buffer)] = false;
  return outside;
}

class HashingWriter {
 public:
  HashingWriter(OutputFile& file, uint64_t total, const WriteOptions& options)
      : file_(file), total_(total), options_(options) {}

  void write(std::span<const std::byte> bytes) {
    hash_.update(bytes);
    file_.write(bytes);
    if (options_.progress) options_.progress(file_.position(), total_);
  }

  void pad_to(uint64_t position) {
    static constexpr std::byte kZeros[kAlignment + sizeof(uint32_t)] = {};
    write(std::span(kZeros).first(static_cast<size_t>(position - file_.position())));
  }

  [[nodiscard]] std::string digest() const { return hash_.digest(); }

 private:
  OutputFile& file_;
  uint64_t total_;
  const WriteOptions& options_;
  ContentHash hash_;
};

/// Where the placeholder for the hash lies in the file, if anywhere.
std::optional<uint64_t> find_placeholder(const Module& module,
                                         const std::vector<uint64_t>& places) {
  for (const auto& [name, buffer] : module.metadata()) {
    std::string text;
    module.buffers()[static_cast<size_t>(buffer)]->write([&](std::span<const std::byte> bytes) {
      text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    });
    const size_t found = text.find(kModelHashPlaceholder);
    if (found != std::string::npos) return places[static_cast<size_t>(buffer)] + found;
  }
  return std::nullopt;
}

/// Where everything lies in the file.
struct Layout {
  std::vector<bool> outside;  // by buffer: after the flatbuffer
  fb::DetachedBuffer skeleton;
  std::vector<uint64_t> places;  // by buffer
  uint64_t size = 0;             // of the file
};

Layout layout_of(const Module& module, uint64_t flatbuffer_limit) {
  Layout layout{.outside = choose_outside(module, flatbuffer_limit)};
  layout.skeleton = Skeleton(module, layout.outside).build();
  layout.places = place_constants(module, layout.outside, layout.skeleton);
  layout.size = layout.skeleton.size();
  for (size_t i = 0; i < layout.places.size(); ++i) {
    if (layout.places[i] == 0) continue;
    layout.size = std::max(layout.size, layout.places[i] + module.buffers()[i]->size());
  }
  return layout;
}

}  // namespace

uint64_t size_as_tflite(const Module& module) {
  return layout_of(module, WriteOptions().flatbuffer_limit).size;
}

WriteResult write_tflite(const Module& module, const std::filesystem::path& path,
                         const WriteOptions& options) {
  OutputFile file(path);
  return write_tflite(module, file, options);
}

WriteResult write_tflite(const Module& module, OutputFile& file, const WriteOptions& options) {
  const Layout layout = layout_of(module, options.flatbuffer_limit);
  const auto& places = layout.places;
  std::vector<size_t> order;
  for (size_t i = 0; i < places.size(); ++i) {
    if (places[i] > 0) order.push_back(i);
  }
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return places[a] < places[b]; });

  HashingWriter writer(file, layout.size, options);
  writer.write(std::as_bytes(std::span(layout.skeleton.data(), layout.skeleton.size())));
  for (const size_t i : order) {
    const ConstantData& data = *module.buffers()[i];
    if (!layout.outside[i]) {
      writer.pad_to(places[i] - sizeof(uint32_t));
      const auto length = static_cast<uint32_t>(data.size());
      writer.write(std::as_bytes(std::span(&length, 1)));
    }
    writer.pad_to(places[i]);
    data.write([&](std::span<const std::byte> bytes) { writer.write(bytes); });
    if (file.position() != places[i] + data.size()) {
      fail("A constant of {} bytes wrote {} bytes.", data.size(), file.position() - places[i]);
    }
  }
  WriteResult result{.file_size = file.position(), .model_hash = writer.digest()};
  if (const auto at = find_placeholder(module, places)) {
    file.write_at(*at, std::as_bytes(std::span(result.model_hash)));
  }
  file.commit(options.check);
  return result;
}

}  // namespace whisper_s4y
