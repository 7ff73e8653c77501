// What a .tflite file holds.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>

#include "checkpoint/checkpoint.h"
#include "checkpoint/weights_hash.h"
#include "cli/console.h"
#include "cli/inspect.h"
#include "cli/progress.h"
#include "graph/graph.h"
#include "tflite/model_metadata.h"
#include "tflite/reader.h"
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
  // Writers from before 2020 know only the old field.
  const int number = std::max<int>(code.builtin_code(), code.deprecated_builtin_code());
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

Json describe(const TfliteFile& file) {
  Json description = {{"file", file.path().string()},
                      {"size", file.size()},
                      {"description", text_of(file.model().description())},
                      {"constants", bytes_of_constants(file)}};
  if (has_model_metadata(file)) {
    const ModelInfo info = read_model_info(file);  // checks it
    description["model"] = Json::parse(file.metadata(kModelMetadata));
    description["vocabulary_size"] = info.vocabulary.tokens.size();
    // A part alone lacks weights; a bundle has several signatures.
    const auto* signatures = file.model().signature_defs();
    if (signatures != nullptr && signatures->size() > 1) {
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

void print_model(const TfliteFile& file, const Json& model) {
  print_model_info(read_model_info(file));
  if (const auto formats = model.find("quantization"); formats != model.end()) {
    std::string line;
    for (const auto& [part, format] : formats->items()) {
      if (!format.is_string()) continue;
      line += fmt::format("{}{} {}", line.empty() ? "" : ", ", part, format.get<std::string>());
    }
    print_out("  weights     {}\n", line);
  }
  print_out("  made by     whisper-s4y {}\n", model.value("converter_version", "?"));
  print_out("  hash        {}\n", model_hash(file));
}

/// Keys and values of all layers have one shape: tensors of the same name but for the number at its
/// end are shown in one line.
void print_tensors(std::string_view side, const Json& tensors) {
  struct Line {
    std::string stem;
    std::string type;
    std::string first;
    std::string last;
  };
  std::vector<Line> lines;
  for (const Json& tensor : tensors) {
    const auto name = tensor["name"].get<std::string>();
    const size_t end = name.find_last_not_of("0123456789") + 1;
    Line line{name.substr(0, end),
              fmt::format("{}[{}]", tensor["dtype"].get<std::string>(),
                          fmt::join(tensor["shape"].get<std::vector<int>>(), ", ")),
              name.substr(end), name.substr(end)};
    const auto same = std::find_if(lines.begin(), lines.end(), [&](const Line& other) {
      return !line.first.empty() && other.stem == line.stem && other.type == line.type;
    });
    if (same == lines.end()) {
      lines.push_back(std::move(line));
    } else {
      same->last = line.last;
    }
  }
  for (const Line& line : lines) {
    const std::string numbers =
        line.first == line.last ? line.first : line.first + ".." + line.last;
    print_out("  {:4}{:26}{}\n", side, line.stem + numbers, line.type);
  }
}

void print_description(const TfliteFile& file, const Json& description) {
  print_out("{}  {}\n", file.path().string(), format_bytes(file.size()));
  if (description.contains("model")) {
    print_model(file, description["model"]);
    if (const auto hash = description.find("weights_hash"); hash != description.end()) {
      print_out("  weight hash {}\n", hash->get<std::string>());
    }
  } else {
    print_out(
        "  {}\n  not made by whisper-s4y: without its metadata it cannot be transcribed "
        "with\n",
        description["description"].get<std::string>());
  }
  std::string constants;
  for (const auto& [type, bytes] : description["constants"].items()) {
    constants += fmt::format("{}{} {}", constants.empty() ? "" : ", ", type,
                             format_bytes(bytes.get<uint64_t>()));
  }
  print_out("  constants   {}\n", constants.empty() ? "none" : constants);
  if (description["signatures"].empty()) {
    print_out("  no signatures: nothing in the file can be called\n");
  }
  for (const Json& signature : description["signatures"]) {
    int ops = 0;
    for (const auto& [name, count] : signature["ops"].items()) ops += count.get<int>();
    print_out("\n{}  ({} ops)\n", signature["key"].get<std::string>(), ops);
    print_tensors("in", signature["inputs"]);
    print_tensors("out", signature["outputs"]);
  }
}

}  // namespace

void inspect_tflite(const std::filesystem::path& path, bool json) {
  const TfliteFile file(path);
  const Json description = describe(file);
  json ? print_json(description) : print_description(file, description);
}

}  // namespace whisper_s4y
