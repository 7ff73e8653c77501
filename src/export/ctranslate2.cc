// model.bin of CTranslate2, binary version 6, as its converter writes Whisper models.
#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>

#include "checkpoint/layout.h"
#include "checkpoint/storage.h"
#include "export/writers.h"
#include "vocabulary/byte_alphabet.h"

namespace whisper_s4y {
namespace {

enum Ct2Type : uint8_t { kFloat32 = 0, kInt8 = 1, kInt16 = 2, kFloat16 = 4, kBfloat16 = 5 };

// A variable is some tensors one after the other; null stands for d zeros, the bias of keys.
struct Variable {
  std::string name;
  std::vector<uint32_t> shape;
  std::vector<const TensorView*> parts;
};

struct Scalar {
  std::string_view name;
  Ct2Type type;
  int value;
};

class VariableList {
 public:
  explicit VariableList(const Checkpoint& checkpoint) : checkpoint_(checkpoint) {}

  std::vector<Variable> build() {
    const ModelConfig& c = checkpoint_.info.config;
    for (const std::string name : {"conv1", "conv2"}) {
      linear("encoder/" + name, "encoder." + name);
    }
    for (const std::string part : {"encoder", "decoder"}) {
      add(part + "/position_encodings/encodings", {part + ".embed_positions.weight"});
      layer_norm(part + "/layer_norm", part + ".layer_norm");
      const int layers = part == "encoder" ? c.encoder_layers : c.decoder_layers;
      for (int i = 0; i < layers; ++i) {
        layer(fmt::format("{}/layer_{}/", part, i), fmt::format("{}.layers.{}.", part, i),
              part == "decoder");
      }
    }
    add("decoder/embeddings/weight", {std::string(kTokenEmbedding)});
    if (checkpoint_.has(kOutputMatrix)) {
      add("decoder/projection/weight", {std::string(kOutputMatrix)});
    }
    return std::move(variables_);
  }

 private:
  // An empty name stands for zeros.
  void add(std::string to, const std::vector<std::string>& from) {
    Variable variable{.name = std::move(to), .shape = {}, .parts = {}};
    for (const std::string& name : from) {
      variable.parts.push_back(name.empty() ? nullptr : &checkpoint_.tensor(name));
    }
    for (const int64_t extent :
         variable.parts[0] == nullptr ? variable.parts[1]->shape : variable.parts[0]->shape) {
      variable.shape.push_back(static_cast<uint32_t>(extent));
    }
    variable.shape[0] *= static_cast<uint32_t>(from.size());
    variables_.push_back(std::move(variable));
  }
  void linear(const std::string& to, const std::string& from) {
    add(to + "/weight", {from + ".weight"});
    add(to + "/bias", {from + ".bias"});
  }
  void layer_norm(const std::string& to, const std::string& from) {
    add(to + "/gamma", {from + ".weight"});
    add(to + "/beta", {from + ".bias"});
  }
  void layer(const std::string& to, const std::string& from, bool is_decoder) {
    const std::string self = from + "self_attn.";
    layer_norm(to + "self_attention/layer_norm", from + "self_attn_layer_norm");
    add(to + "self_attention/linear_0/weight",
        {self + "q_proj.weight", self + "k_proj.weight", self + "v_proj.weight"});
    add(to + "self_attention/linear_0/bias", {self + "q_proj.bias", "", self + "v_proj.bias"});
    linear(to + "self_attention/linear_1", self + "out_proj");
    if (is_decoder) {
      const std::string cross = from + "encoder_attn.";
      layer_norm(to + "attention/layer_norm", from + "encoder_attn_layer_norm");
      linear(to + "attention/linear_0", cross + "q_proj");
      add(to + "attention/linear_1/weight", {cross + "k_proj.weight", cross + "v_proj.weight"});
      add(to + "attention/linear_1/bias", {"", cross + "v_proj.bias"});
      linear(to + "attention/linear_2", cross + "out_proj");
    }
    layer_norm(to + "ffn/layer_norm", from + "final_layer_norm");
    linear(to + "ffn/linear_0", from + "fc1");
    linear(to + "ffn/linear_1", from + "fc2");
  }

  const Checkpoint& checkpoint_;
  std::vector<Variable> variables_;
};

template <typename Number>
void put(OutputFile& file, Number number) {
  file.write(std::as_bytes(std::span(&number, 1)));
}

void put_string(OutputFile& file, std::string_view text) {
  put(file, static_cast<uint16_t>(text.size() + 1));
  file.write(text);
  put(file, uint8_t{0});
}

void put_scalar(OutputFile& file, const Scalar& scalar) {
  put_string(file, scalar.name);
  put(file, uint8_t{0});
  put(file, static_cast<uint8_t>(scalar.type));
  put(file, uint32_t{scalar.type == kInt8 ? 1U : 2U});
  if (scalar.type == kInt8) {
    put(file, static_cast<int8_t>(scalar.value));
  } else {
    put(file, static_cast<int16_t>(scalar.value));
  }
}

void put_variable(OutputFile& file, const Variable& variable, StorageType type, int d_model) {
  put_string(file, variable.name);
  put(file, static_cast<uint8_t>(variable.shape.size()));
  uint64_t elements = 1;
  for (const uint32_t extent : variable.shape) {
    put(file, extent);
    elements *= extent;
  }
  put(file, static_cast<uint8_t>(type == StorageType::f16    ? kFloat16
                                 : type == StorageType::bf16 ? kBfloat16
                                                             : kFloat32));
  put(file, static_cast<uint32_t>(stored_bytes(type, elements)));
  for (const TensorView* part : variable.parts) {
    if (part == nullptr) {
      file.write(std::vector<std::byte>(stored_bytes(type, static_cast<uint64_t>(d_model))));
    } else {
      for_each_piece(*part, type, [&](std::span<const std::byte> piece) { file.write(piece); });
    }
  }
}

void write_side_files(const ModelInfo& info, const std::filesystem::path& dir) {
  const GenerationConfig& g = info.generation;
  nlohmann::ordered_json heads = nlohmann::ordered_json::array();
  for (const auto& [layer, head] : g.alignment_heads) heads.push_back({layer, head});
  std::vector<int> languages;
  for (const auto& [code, id] : g.lang_to_id) languages.push_back(id);
  const nlohmann::ordered_json config = {{"alignment_heads", heads},
                                         {"lang_ids", languages},
                                         {"suppress_ids", g.suppress_tokens},
                                         {"suppress_ids_begin", g.begin_suppress_tokens}};
  write_text(dir / "config.json", config.dump(2) + "\n");

  nlohmann::ordered_json tokens = nlohmann::ordered_json::array();
  for (size_t id = 0; id < info.vocabulary.tokens.size(); ++id) {
    const std::string& token = info.vocabulary.tokens[id];
    tokens.push_back(is_added(info, id) ? token : encode_byte_alphabet(token));
  }
  write_text(dir / "vocabulary.json", tokens.dump(2) + "\n");
  write_tokenizer_json(info, dir);
  write_preprocessor_config(info, dir);
}

}  // namespace

void export_ctranslate2(const Checkpoint& checkpoint, const std::filesystem::path& dir) {
  const ModelConfig& c = checkpoint.info.config;
  const StorageType type = export_type(checkpoint);
  write_side_files(checkpoint.info, dir);

  const Scalar scalars[] = {{"decoder/activation", kInt8, 3},  // exact GELU
                            {"decoder/alibi", kInt8, 0},
                            {"decoder/alignment_heads", kInt16, 1},
                            {"decoder/alignment_layer", kInt16, -1},
                            {"decoder/num_heads", kInt16, c.decoder_attention_heads},
                            {"decoder/pre_norm", kInt8, 1},
                            {"decoder/scale_embeddings", kInt8, 0},
                            {"decoder/start_from_zero_embedding", kInt8, 0},
                            {"encoder/num_heads", kInt16, c.encoder_attention_heads}};
  const std::vector<Variable> variables = VariableList(checkpoint).build();
  // The converter sorts by name, and so do we.
  std::map<std::string_view, std::function<void(OutputFile&)>> entries;
  for (const Scalar& scalar : scalars) {
    entries[scalar.name] = [&](OutputFile& file) { put_scalar(file, scalar); };
  }
  for (const Variable& variable : variables) {
    entries[variable.name] = [&](OutputFile& file) {
      put_variable(file, variable, type, c.d_model);
    };
  }
  OutputFile file(dir / "model.bin");
  put(file, uint32_t{6});
  put_string(file, "WhisperSpec");
  put(file, uint32_t{3});
  put(file, static_cast<uint32_t>(entries.size()));
  for (const auto& [name, write] : entries) write(file);
  const bool tied = !checkpoint.has(kOutputMatrix);
  put(file, tied ? uint32_t{1} : uint32_t{0});
  if (tied) {
    put_string(file, "decoder/projection/weight");
    put_string(file, "decoder/embeddings/weight");
  }
  file.commit();
}

}  // namespace whisper_s4y
