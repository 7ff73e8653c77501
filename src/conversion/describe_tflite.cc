#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "checkpoint/weights_hash.h"
#include "common/parse_json.h"
#include "conversion/describe.h"
#include "formats/formats.h"
#include "formats/open_checkpoint.h"
#include "graph/graph.h"
#include "tflite/model_metadata.h"
#include "tflite/schema_generated.h"

namespace whisper_s4y {
namespace {

std::string text_of(const flatbuffers::String* text) { return text ? text->str() : std::string(); }

/// Calls visit(element) for each element of a vector that may be left out.
template <typename T, typename Visit>
void for_each(const flatbuffers::Vector<T>* vector, const Visit& visit) {
  if (vector == nullptr) return;
  for (const auto& element : *vector) visit(element);
}

Json describe_tensor(const std::string& name, const tflite::Tensor& tensor) {
  Json shape = Json::array();
  for_each(tensor.shape(), [&](int32_t size) { shape.push_back(size); });
  return {{"name", name}, {"dtype", name_of(static_cast<DType>(tensor.type()))}, {"shape", shape}};
}

std::string op_name(const tflite::OperatorCode& code) {
  if (std::string custom = text_of(code.custom_code()); !custom.empty()) return custom;
  const int32_t number = op_number(code);
  const std::string_view name = name_of(static_cast<OpCode>(number));
  return name == "UNKNOWN" ? fmt::format("BUILTIN_{}", number) : std::string(name);
}

Json describe_signature(const tflite::Model& model, const tflite::SignatureDef& signature) {
  const tflite::SubGraph& graph = *model.subgraphs()->Get(signature.subgraph_index());
  const auto describe = [&](const auto* maps) {
    Json tensors = Json::array();
    for_each(maps, [&](const tflite::TensorMap* map) {
      tensors.push_back(
          describe_tensor(text_of(map->name()), *graph.tensors()->Get(map->tensor_index())));
    });
    return tensors;
  };
  std::map<std::string, int> ops;
  for_each(graph.operators(), [&](const tflite::Operator* op) {
    ++ops[op_name(*model.operator_codes()->Get(op->opcode_index()))];
  });
  return {{"key", text_of(signature.signature_key())},
          {"inputs", describe(signature.inputs())},
          {"outputs", describe(signature.outputs())},
          {"ops", ops}};
}

/// Bytes of the constants by type; those that several tensors share count once.
std::map<std::string, uint64_t> bytes_of_constants(const TfliteFile& file) {
  std::map<std::string, uint64_t> bytes;
  std::set<uint32_t> seen;
  for_each(file.model().subgraphs(), [&](const tflite::SubGraph* graph) {
    for_each(graph->tensors(), [&](const tflite::Tensor* tensor) {
      const size_t size = file.buffer(tensor->buffer()).size();
      if (size == 0 || !seen.insert(tensor->buffer()).second) return;
      bytes[std::string(name_of(static_cast<DType>(tensor->type())))] += size;
    });
  });
  return bytes;
}

}  // namespace

Json describe_tflite(const TfliteFile& file) {
  Json description = {{"file", file.path().string()},
                      {"size", file.size()},
                      {"description", text_of(file.model().description())},
                      {"constants", bytes_of_constants(file)}};
  if (has_model_metadata(file)) {
    const ModelInfo info = read_model_info(file);  // checks it
    description["model"] = parse_json<Json>(file.metadata(kModelMetadata), file.path().string());
    description["vocabulary_size"] = info.vocabulary.tokens.size();
    if (is_whole_tflite(file.path())) {
      description["weights_hash"] = weights_hash(*open_checkpoint(file.path()));
    }
  }
  Json signatures = Json::array();
  for_each(file.model().signature_defs(), [&](const tflite::SignatureDef* signature) {
    signatures.push_back(describe_signature(file.model(), *signature));
  });
  description["signatures"] = std::move(signatures);
  return description;
}

}  // namespace whisper_s4y
