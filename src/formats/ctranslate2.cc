// CTranslate2 models of faster-whisper: model.bin, config.json, vocabulary and tokenizer.
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/json_file.h"
#include "checkpoint/layout.h"
#include "checkpoint/side_file.h"
#include "checkpoint/storage.h"
#include "common/fail.h"
#include "formats/ct2_file.h"
#include "formats/formats.h"
#include "vocabulary/generation.h"
#include "vocabulary/generation_fields.h"
#include "vocabulary/hf_tokenizer.h"

namespace whisper_s4y {
namespace {

constexpr int kMaxLayers = 512;

int dimension(const Ct2File& file, std::string_view name, size_t rank, size_t axis) {
  const std::vector<int64_t>& shape = file.shape(name);
  if (shape.size() != rank || shape[axis] > INT32_MAX) {
    fail("{}: variable {} has the shape {}, expected {} dimensions.", file.source(), name,
         to_string(shape), rank);
  }
  return static_cast<int>(shape[axis]);
}

int count_layers(const Ct2File& file, std::string_view part) {
  int layers = 0;
  while (layers < kMaxLayers &&
         file.has(fmt::format("{}/layer_{}/ffn/linear_0/weight", part, layers))) {
    ++layers;
  }
  return layers;
}

// Scalars that say how the network computes; Whisper's values, or the file is something else.
void check_attributes(Ct2File& file) {
  struct Attribute {
    std::string_view name;
    int expected;
  };
  constexpr Attribute kAttributes[] = {{"decoder/pre_norm", 1},
                                       {"decoder/activation", 3},  // 3 = exact GELU
                                       {"decoder/alibi", 0},
                                       {"decoder/alibi_use_positive_positions", 0},
                                       {"decoder/scale_alibi", 0},
                                       {"decoder/scale_embeddings", 0},
                                       {"decoder/start_from_zero_embedding", 0}};
  for (const auto& [name, expected] : kAttributes) {
    if (!file.has(name)) continue;
    const int found = file.take_scalar(name);
    if (found != expected) {
      fail("{}: {} is {}, Whisper has {}.", file.source(), name, found, expected);
    }
  }
  // The layer and number of heads to average for alignment; config.json has the real list.
  for (const std::string_view name : {"decoder/alignment_layer", "decoder/alignment_heads"}) {
    if (file.has(name)) static_cast<void>(file.take_scalar(name));
  }
}

ModelConfig read_dimensions(Ct2File& file) {
  ModelConfig c;
  c.d_model = dimension(file, "encoder/conv1/weight", 3, 0);
  c.num_mel_bins = dimension(file, "encoder/conv1/weight", 3, 1);
  c.max_source_positions = dimension(file, "encoder/position_encodings/encodings", 2, 0);
  c.max_target_positions = dimension(file, "decoder/position_encodings/encodings", 2, 0);
  c.vocab_size = dimension(file, "decoder/embeddings/weight", 2, 0);
  c.encoder_layers = count_layers(file, "encoder");
  c.decoder_layers = count_layers(file, "decoder");
  c.encoder_ffn_dim = dimension(file, "encoder/layer_0/ffn/linear_0/weight", 2, 0);
  c.decoder_ffn_dim = dimension(file, "decoder/layer_0/ffn/linear_0/weight", 2, 0);
  c.encoder_attention_heads = file.take_scalar("encoder/num_heads");
  c.decoder_attention_heads = file.take_scalar("decoder/num_heads");
  return c;
}

// Moves variables from the file to the checkpoint under canonical names.
class Importer {
 public:
  Importer(Ct2File& file, Checkpoint& checkpoint) : file_(file), checkpoint_(checkpoint) {}

  void import(const ModelConfig& c) {
    for (const std::string_view name : {"conv1", "conv2"}) {
      move(fmt::format("encoder/{}/weight", name), fmt::format("encoder.{}.weight", name));
      move(fmt::format("encoder/{}/bias", name), fmt::format("encoder.{}.bias", name));
    }
    for (const std::string_view part : {"encoder", "decoder"}) {
      move(fmt::format("{}/position_encodings/encodings", part),
           fmt::format("{}.embed_positions.weight", part));
      layer_norm(fmt::format("{}/layer_norm", part), fmt::format("{}.layer_norm", part));
    }
    for (int i = 0; i < c.encoder_layers; ++i) {
      const std::string from = fmt::format("encoder/layer_{}/", i);
      const std::string to = fmt::format("encoder.layers.{}.", i);
      self_attention(from, to, c.d_model);
      feed_forward(from, to);
    }
    for (int i = 0; i < c.decoder_layers; ++i) {
      const std::string from = fmt::format("decoder/layer_{}/", i);
      const std::string to = fmt::format("decoder.layers.{}.", i);
      self_attention(from, to, c.d_model);
      cross_attention(from, to, c.d_model);
      feed_forward(from, to);
    }
    embedding();
  }

 private:
  void add(TensorView view, std::string name) {
    view.name = name;
    checkpoint_.tensors.emplace(std::move(name), std::move(view));
  }
  void move(std::string_view from, std::string to) { add(file_.take(from), std::move(to)); }
  void linear(const std::string& from, const std::string& to) {
    move(from + "/weight", to + ".weight");
    move(from + "/bias", to + ".bias");
  }
  void layer_norm(const std::string& from, const std::string& to) {
    move(from + "/gamma", to + ".weight");
    move(from + "/beta", to + ".bias");
  }
  void feed_forward(const std::string& from, const std::string& to) {
    layer_norm(from + "ffn/layer_norm", to + "final_layer_norm");
    linear(from + "ffn/linear_0", to + "fc1");
    linear(from + "ffn/linear_1", to + "fc2");
  }

  // Rows [index * d, (index + 1) * d) of projections stacked on axis 0.
  static TensorView part_of(const TensorView& stacked, int64_t index, int64_t d) {
    TensorView part = stacked;
    part.shape[0] = d;
    const uint64_t row_bytes =
        stored_bytes(stacked.type, static_cast<uint64_t>(stacked.row_size()));
    part.bytes = stacked.bytes.subspan(static_cast<uint64_t>(index * d) * row_bytes,
                                       static_cast<uint64_t>(d) * row_bytes);
    if (!stacked.row_scales.empty()) {
      const auto first = stacked.row_scales.begin() + index * d;
      part.row_scales.assign(first, first + d);
    }
    return part;
  }

  // `projections` names the stacked parts in their order, e.g. q_proj, k_proj, v_proj. Keys have
  // no bias in Whisper: CTranslate2 fills zeros in, others are for check_tensors().
  void stacked(const std::string& from, const std::string& to,
               std::initializer_list<std::string_view> projections, int64_t d) {
    const TensorView weight = file_.take(from + "/weight");
    const TensorView bias = file_.take(from + "/bias");
    const auto rows = static_cast<int64_t>(projections.size()) * d;
    if (weight.shape != std::vector<int64_t>{rows, d} || bias.shape != std::vector<int64_t>{rows}) {
      fail("{}: {} has the shapes {} and {}, expected [{}, {}] and [{}].", file_.source(), from,
           to_string(weight.shape), to_string(bias.shape), rows, d, rows);
    }
    int64_t index = 0;
    for (const std::string_view projection : projections) {
      add(part_of(weight, index, d), fmt::format("{}.{}.weight", to, projection));
      TensorView part = part_of(bias, index, d);
      if (projection != "k_proj" || !all_zero(part)) {
        add(std::move(part), fmt::format("{}.{}.bias", to, projection));
      }
      ++index;
    }
  }

  void self_attention(const std::string& from, const std::string& to, int64_t d) {
    layer_norm(from + "self_attention/layer_norm", to + "self_attn_layer_norm");
    stacked(from + "self_attention/linear_0", to + "self_attn", {"q_proj", "k_proj", "v_proj"}, d);
    linear(from + "self_attention/linear_1", to + "self_attn.out_proj");
  }
  void cross_attention(const std::string& from, const std::string& to, int64_t d) {
    layer_norm(from + "attention/layer_norm", to + "encoder_attn_layer_norm");
    linear(from + "attention/linear_0", to + "encoder_attn.q_proj");
    stacked(from + "attention/linear_1", to + "encoder_attn", {"k_proj", "v_proj"}, d);
    linear(from + "attention/linear_2", to + "encoder_attn.out_proj");
  }

  void embedding() {
    move("decoder/embeddings/weight", std::string(kTokenEmbedding));
    if (file_.has("decoder/projection/weight")) {
      move("decoder/projection/weight", std::string(kOutputMatrix));
    }
  }

  Ct2File& file_;
  Checkpoint& checkpoint_;
};

void read_generation(const std::filesystem::path& folder, ModelInfo& info, Warnings& warnings) {
  GenerationConfig& g = info.generation;
  read_optional(warnings, "The file is ignored.", [&] {
    const auto path = find_side_file(folder, "config.json");
    if (!path) return;
    const JsonFile file(*path);
    const GenerationFields fields(file, info.config, warnings);
    fields.token_ids("suppress_ids", g.suppress_tokens);
    fields.token_ids("suppress_ids_begin", g.begin_suppress_tokens);
    fields.heads("alignment_heads", g.alignment_heads);
  });
  // lang_ids is not read: for English-only models the converter writes it shifted by one. The
  // names of the tokens say the same reliably.
}

}  // namespace

std::unique_ptr<Checkpoint> open_ctranslate2(const std::filesystem::path& model_bin) {
  const std::filesystem::path folder = folder_of(model_bin);
  Ct2File file(model_bin);
  auto checkpoint = std::make_unique<Checkpoint>();
  checkpoint->format = "ctranslate2";
  checkpoint->path = model_bin;
  ModelInfo& info = checkpoint->info;
  info.config = read_dimensions(file);
  validate_dimensions(info.config, model_bin.string());
  check_attributes(file);
  Importer(file, *checkpoint).import(info.config);
  ignore_tensors(*checkpoint, file.names());
  check_tensors(*checkpoint);

  info.vocabulary =
      read_ctranslate2_vocabulary(folder, info.config.vocab_size, checkpoint->warnings);
  read_generation(folder, info, checkpoint->warnings);
  complete_generation(info, std::nullopt, folder);
  validate(info, model_bin.string());
  return checkpoint;
}

}  // namespace whisper_s4y
