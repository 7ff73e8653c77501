#include "formats/tiny_tflite.h"

#include "formats/tiny_checkpoint.h"
#include "graph/graph.h"
#include "graph/quantize.h"
#include "tflite/metadata_names.h"
#include "tflite/writer.h"

namespace whisper_s4y {
namespace {

constexpr float kAttentionScale = 0.5F;  // of heads of 4 numbers

// As the graphs of src/models do it.
Rows rows_in_graph(const TensorView& tensor) {
  Shape shape;
  for (const int64_t extent : tensor.shape) shape.push_back(static_cast<int32_t>(extent));
  Rows rows = rows_of(tensor.name, shape, values_of(tensor));
  if (tensor.name.find(".q_proj.") != std::string::npos) return scaled(rows, kAttentionScale);
  if (shape.size() == 3) return conv_kernel(rows);
  if (tensor.name == "encoder.embed_positions.weight") {
    return reshaped(rows, {1, shape[0], shape[1]});
  }
  return rows;
}

}  // namespace

std::string tiny_tflite(const Checkpoint& checkpoint, DType matrices) {
  Module module;
  Graph& g = module.add_graph("main");
  for (const auto& [name, tensor] : checkpoint.tensors) {
    const Rows rows = rows_in_graph(tensor);
    const bool table = tensor.shape.size() == 3 || name.ends_with("embed_positions.weight");
    if (tensor.shape.size() == 1 || matrices == DType::f32) {
      g.constant(rows);
    } else if (table || matrices == DType::f16) {
      g.constant(rows, DType::f16);
    } else {
      const Int8Rows q = int8_rows(rows);
      g.constant(rows->name(), DType::i8, rows->shape(), q.data, q.quantization);
    }
  }
  std::string json = to_json(checkpoint.info.config, checkpoint.info.generation);
  json.insert(1, "\"format_version\":1,\"name\":\"" + checkpoint.info.name + "\",");
  module.add_metadata(std::string(kModelMetadata), json);
  module.add_metadata(std::string(kVocabularyMetadata), to_text(checkpoint.info.vocabulary));
  const TemporaryFolder folder;
  write_tflite(module, folder / "tiny.tflite");
  return read_file(folder / "tiny.tflite");
}

}  // namespace whisper_s4y
