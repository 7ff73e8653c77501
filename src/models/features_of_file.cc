#include "models/features_of_file.h"

#include <algorithm>
#include <cstring>
#include <span>
#include <vector>

#include "config/front_end.h"
#include "graph/graph.h"
#include "models/features.h"
#include "tflite/schema_generated.h"

namespace whisper_s4y {
namespace {

const tflite::SubGraph* subgraph_of(const TfliteFile& file, std::string_view signature) {
  const tflite::Model& model = file.model();
  for (const auto* definition : *model.signature_defs()) {
    if (definition->signature_key()->string_view() == signature) {
      return model.subgraphs()->Get(definition->subgraph_index());
    }
  }
  return nullptr;
}

bool same_bytes(const ConstantData& constant, std::span<const std::byte> bytes) {
  if (constant.size() != bytes.size()) return false;
  bool same = true;
  constant.write([&](std::span<const std::byte> piece) {
    same = same && std::memcmp(piece.data(), bytes.data(), piece.size()) == 0;
    bytes = bytes.subspan(piece.size());
  });
  return same;
}

/// Compares a graph of the file with one that was built, whose ops are in the same order.
class Comparison {
 public:
  Comparison(const TfliteFile& file, const tflite::SubGraph& theirs, Graph& ours)
      : file_(file), theirs_(theirs), ours_(ours), their_values_(theirs.tensors()->size()) {}

  bool same_graphs() {
    const auto* ops = theirs_.operators();
    if (ops == nullptr || ops->size() != ours_.ops().size()) return false;
    if (!take(ours_.inputs(), *theirs_.inputs())) return false;
    for (size_t i = 0; i < ours_.ops().size(); ++i) {
      if (!same_ops(ours_.ops()[i], *ops->Get(static_cast<uint32_t>(i)))) return false;
    }
    const auto* outputs = theirs_.outputs();
    return outputs->size() == ours_.outputs().size() &&
           std::ranges::equal(ours_.outputs(), *outputs,
                              [&](Value value, int32_t id) { return same_values(value, id); });
  }

 private:
  /// Takes what both begin with, or what an op of both gives, for the same.
  bool take(const std::vector<Value>& values, const flatbuffers::Vector<int32_t>& ids) {
    if (values.size() != ids.size()) return false;
    for (size_t i = 0; i < values.size(); ++i) {
      const int32_t id = ids.Get(static_cast<uint32_t>(i));
      if (id < 0) return false;
      their_values_[static_cast<size_t>(id)] = values[i];
    }
    return true;
  }

  bool same_ops(const Op& ours, const tflite::Operator& theirs) {
    const auto* code = file_.model().operator_codes()->Get(theirs.opcode_index());
    return op_number(*code) == static_cast<int32_t>(ours.code) &&
           theirs.inputs()->size() == ours.inputs.size() &&
           std::ranges::equal(ours.inputs, *theirs.inputs(),
                              [&](Value value, int32_t id) { return same_values(value, id); }) &&
           take(ours.outputs, *theirs.outputs());
  }

  bool same_values(Value value, int32_t id) const {
    if (id < 0 || !value.valid()) return id < 0 && !value.valid();
    if (!ours_.is_constant(value)) return their_values_[static_cast<size_t>(id)].id == value.id;
    const Tensor& tensor = ours_.tensor(value);
    const auto* stored = theirs_.tensors()->Get(static_cast<uint32_t>(id));
    return same_bytes(*ours_.module().buffers()[static_cast<size_t>(tensor.buffer)],
                      file_.buffer(stored->buffer()));
  }

  const TfliteFile& file_;
  const tflite::SubGraph& theirs_;
  Graph& ours_;
  std::vector<Value> their_values_;  // by tensor of theirs: ours
};

}  // namespace

bool computes_log_mel(const TfliteFile& file, std::string_view signature, int num_mel_bins) {
  const tflite::SubGraph* theirs = subgraph_of(file, signature);
  if (theirs == nullptr) return false;
  Module module;
  Graph& ours = module.add_graph("features");
  const Value audio = ours.input("normalized_audio", DType::f32, {kWindowSamples});
  ours.set_outputs({log_mel(ours, audio, num_mel_bins)});
  return Comparison(file, *theirs, ours).same_graphs();
}

}  // namespace whisper_s4y
