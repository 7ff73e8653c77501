#include "checkpoint/layout.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>

#include "common/fail.h"

namespace whisper_s4y {
namespace {

class LayoutBuilder {
 public:
  explicit LayoutBuilder(const ModelConfig& config) : c_(config) {}

  std::vector<ExpectedTensor> build() {
    const int64_t d = c_.d_model;
    add("encoder.conv1.weight", {d, c_.num_mel_bins, 3});
    add("encoder.conv1.bias", {d});
    add("encoder.conv2.weight", {d, d, 3});
    add("encoder.conv2.bias", {d});
    add("encoder.embed_positions.weight", {c_.max_source_positions, d});
    for (int i = 0; i < c_.encoder_layers; ++i) {
      const std::string layer = fmt::format("encoder.layers.{}.", i);
      attention(layer + "self_attn");
      feed_forward(layer, c_.encoder_ffn_dim);
    }
    layer_norm("encoder.layer_norm");
    add("decoder.embed_tokens.weight", {c_.vocab_size, d});
    add("decoder.embed_positions.weight", {c_.max_target_positions, d});
    for (int i = 0; i < c_.decoder_layers; ++i) {
      const std::string layer = fmt::format("decoder.layers.{}.", i);
      attention(layer + "self_attn");
      attention(layer + "encoder_attn");
      feed_forward(layer, c_.decoder_ffn_dim);
    }
    layer_norm("decoder.layer_norm");
    return std::move(tensors_);
  }

 private:
  void add(std::string name, std::vector<int64_t> shape) {
    tensors_.push_back({std::move(name), std::move(shape)});
  }
  void linear(const std::string& name, int64_t out, int64_t in) {
    add(name + ".weight", {out, in});
    add(name + ".bias", {out});
  }
  void layer_norm(const std::string& name) {
    add(name + ".weight", {c_.d_model});
    add(name + ".bias", {c_.d_model});
  }
  void attention(const std::string& name) {
    const int64_t d = c_.d_model;
    layer_norm(name + "_layer_norm");
    linear(name + ".q_proj", d, d);
    add(name + ".k_proj.weight", {d, d});  // Whisper's keys have no bias
    linear(name + ".v_proj", d, d);
    linear(name + ".out_proj", d, d);
  }
  void feed_forward(const std::string& layer, int64_t width) {
    layer_norm(layer + "final_layer_norm");
    linear(layer + "fc1", width, c_.d_model);
    linear(layer + "fc2", c_.d_model, width);
  }

  const ModelConfig& c_;
  std::vector<ExpectedTensor> tensors_;
};

constexpr std::string_view kKeyWeight = ".k_proj.weight";
constexpr std::string_view kKeyBias = ".k_proj.bias";

std::string key_bias_of(std::string_view weight) {
  return fmt::format("{}{}", weight.substr(0, weight.size() - kKeyWeight.size()), kKeyBias);
}

void check_tensor(const Checkpoint& checkpoint, const ExpectedTensor& want) {
  const TensorView& found = checkpoint.tensor(want.name);
  const std::string path = checkpoint.path.string();
  if (found.shape != want.shape) {
    fail("{}: tensor {} has the shape {}, the model's dimensions ask for {}.", path, want.name,
         to_string(found.shape), to_string(want.shape));
  }
  if (!found.other_type.empty()) {
    fail("{}: tensor {} has the type {}, expected float64, float32, float16 or bfloat16.", path,
         want.name, found.other_type);
  }
}

void check_output_matrix(Checkpoint& checkpoint) {
  const ModelConfig& c = checkpoint.info.config;
  check_tensor(checkpoint, {std::string(kOutputMatrix), {c.vocab_size, c.d_model}});
  const TensorView& matrix = checkpoint.tensor(kOutputMatrix);
  const TensorView& embedding = checkpoint.tensor(kTokenEmbedding);
  if (!equal_values(matrix, embedding)) return;
  matrix.release_rows(0, matrix.rows());
  embedding.release_rows(0, embedding.rows());
  checkpoint.tensors.erase(checkpoint.tensors.find(kOutputMatrix));
}

// Whisper's keys have no bias. One would add the same number, query times bias, to all scores of a
// query, and softmax does not see what all of them have in common: neither attention nor the
// alignment of words, which is made of softmax too, depends on it.
void drop_key_biases(Checkpoint& checkpoint) {
  std::vector<std::string> names;
  bool zero = true;
  for (const ExpectedTensor& tensor : optional_tensors(checkpoint.info.config)) {
    const auto found = checkpoint.tensors.find(tensor.name);
    if (!tensor.name.ends_with(kKeyBias) || found == checkpoint.tensors.end()) continue;
    zero = zero && found->second.shape == tensor.shape && found->second.other_type.empty() &&
           all_zero(found->second);
    names.push_back(tensor.name);
    checkpoint.tensors.erase(found);
  }
  if (names.empty()) return;
  warn(checkpoint.warnings, "{}: {} ignored, for Whisper's keys have none and {}: {}.",
       checkpoint.path.string(),
       names.size() == 1 ? "1 bias of keys is" : fmt::format("{} biases of keys are", names.size()),
       zero ? "these are zero" : "softmax takes away what they add", some_of(names));
}

// What the model has no use for: positions, parts of a training's loss, ...
void drop_others(Checkpoint& checkpoint, const std::vector<ExpectedTensor>& expected) {
  std::vector<std::string_view> known = {kOutputMatrix};
  for (const ExpectedTensor& tensor : expected) known.push_back(tensor.name);
  std::ranges::sort(known);
  std::vector<std::string> others;
  for (const auto& [name, tensor] : checkpoint.tensors) {
    if (!std::ranges::binary_search(known, name)) others.push_back(name);
  }
  ignore_tensors(checkpoint, others);
  for (const std::string& name : others) checkpoint.tensors.erase(name);
}

// "encoder.layers.12.fc1.weight" of 12 layers or less; OpenAI's layers are called blocks,
// CTranslate2's encoder/layer_12.
bool is_beyond(std::string_view name, std::string_view part, int layers) {
  for (const std::string_view list : {".layers.", ".blocks.", "/layer_"}) {
    const std::string start = fmt::format("{}{}", part, list);
    const size_t at = name.find(start);
    if (at == std::string_view::npos) continue;
    const std::string_view rest = name.substr(at + start.size());
    int layer = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), layer);
    if (error == std::errc() && layer >= layers) return true;
  }
  return false;
}

}  // namespace

std::vector<ExpectedTensor> expected_tensors(const ModelConfig& config) {
  return LayoutBuilder(config).build();
}

std::vector<ExpectedTensor> optional_tensors(const ModelConfig& config) {
  std::vector<ExpectedTensor> tensors = {
      {std::string(kOutputMatrix), {config.vocab_size, config.d_model}}};
  for (const ExpectedTensor& tensor : expected_tensors(config)) {
    if (!tensor.name.ends_with(kKeyWeight)) continue;
    tensors.push_back({key_bias_of(tensor.name), {config.d_model}});
  }
  return tensors;
}

void check_tensors(Checkpoint& checkpoint) {
  const std::vector<ExpectedTensor> expected = expected_tensors(checkpoint.info.config);
  for (const ExpectedTensor& want : expected) check_tensor(checkpoint, want);
  if (checkpoint.has(kOutputMatrix)) check_output_matrix(checkpoint);
  if (checkpoint.tensors.size() == expected.size()) return;
  drop_key_biases(checkpoint);
  drop_others(checkpoint, expected);
}

void ignore_tensors(Checkpoint& checkpoint, const std::vector<std::string>& names) {
  if (names.empty()) return;
  const ModelConfig& c = checkpoint.info.config;
  for (const std::string& name : names) {
    if (!is_beyond(name, "encoder", c.encoder_layers) &&
        !is_beyond(name, "decoder", c.decoder_layers)) {
      continue;
    }
    fail("{}: tensor {} is not part of a Whisper model with {} encoder and {} decoder layers.",
         checkpoint.path.string(), name, c.encoder_layers, c.decoder_layers);
  }
  warn(checkpoint.warnings, "{}: {} ignored: {}.", checkpoint.path.string(),
       names.size() == 1 ? "1 tensor that no Whisper model has is"
                         : fmt::format("{} tensors that no Whisper model has are", names.size()),
       some_of(names));
}

void check_four_times(const ModelConfig& config, std::string_view source) {
  for (const int width : {config.encoder_ffn_dim, config.decoder_ffn_dim}) {
    if (width == 4 * config.d_model) continue;
    fail("{}: the format holds feed-forward layers of width {} only, the model's have {}.", source,
         4 * config.d_model, width);
  }
}

uint64_t checked_elements(std::span<const int64_t> shape, std::string_view source,
                          std::string_view name) {
  constexpr uint64_t kLimit = uint64_t{1} << 40;
  uint64_t elements = 1;
  bool empty = false;
  for (const int64_t extent : shape) {
    // Dividing first: the product itself could wrap around. An extent of 0 excuses no other.
    if (extent < 0 || (extent > 0 && elements > kLimit / static_cast<uint64_t>(extent))) {
      fail("{}: tensor {} has the impossible shape {}.", source, name, to_string(shape));
    }
    if (extent == 0) empty = true;
    if (extent > 0) elements *= static_cast<uint64_t>(extent);
  }
  return empty ? 0 : elements;
}

std::string to_string(std::span<const int64_t> shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

bool all_zero(const TensorView& tensor) {
  std::vector<float> values(static_cast<size_t>(tensor.elements()));
  tensor.read_rows(0, tensor.rows(), values);
  return std::ranges::all_of(values, [](float value) { return value == 0.0F; });
}

bool equal_values(const TensorView& a, const TensorView& b) {
  if (a.type == b.type && a.bytes.size() == b.bytes.size() && a.row_scales == b.row_scales &&
      a.taps_first == b.taps_first && a.parts.empty() && b.parts.empty() &&
      (a.bytes.data() == b.bytes.data() ||
       std::memcmp(a.bytes.data(), b.bytes.data(), a.bytes.size()) == 0)) {
    return true;
  }
  const auto width = static_cast<size_t>(a.row_size());
  const int64_t step = std::max<int64_t>(1, 65536 / std::max<int64_t>(1, a.row_size()));
  std::vector<float> left(static_cast<size_t>(step) * width);
  std::vector<float> right(left.size());
  for (int64_t row = 0; row < a.rows(); row += step) {
    const int64_t count = std::min(step, a.rows() - row);
    const size_t numbers = static_cast<size_t>(count) * width;
    a.read_rows(row, count, std::span(left).first(numbers));
    b.read_rows(row, count, std::span(right).first(numbers));
    if (!std::equal(left.begin(), left.begin() + static_cast<std::ptrdiff_t>(numbers),
                    right.begin())) {
      return false;
    }
  }
  return true;
}

}  // namespace whisper_s4y
