#include "checkpoint/layout.h"

#include <algorithm>
#include <cstring>

#include "whisper_s4y/error.h"

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

}  // namespace

std::vector<ExpectedTensor> expected_tensors(const ModelConfig& config) {
  return LayoutBuilder(config).build();
}

void check_tensors(const Checkpoint& checkpoint) {
  const std::string path = checkpoint.path.string();
  const std::vector<ExpectedTensor> expected = expected_tensors(checkpoint.info.config);
  for (const ExpectedTensor& want : expected) {
    const TensorView& found = checkpoint.tensor(want.name);
    if (found.shape != want.shape) {
      fail("{}: tensor {} has the shape {}, the model's dimensions ask for {}.", path, want.name,
           to_string(found.shape), to_string(want.shape));
    }
  }
  if (checkpoint.tensors.size() == expected.size()) return;
  for (const auto& [name, tensor] : checkpoint.tensors) {
    if (std::ranges::find(expected, name, &ExpectedTensor::name) == expected.end()) {
      fail("{}: tensor {} is not part of a Whisper model with {} encoder and {} decoder layers.",
           path, name, checkpoint.info.config.encoder_layers,
           checkpoint.info.config.decoder_layers);
    }
  }
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
  for (const int64_t extent : shape) {
    // Dividing first: the product itself could wrap around.
    if (extent < 0 || (extent > 0 && elements > kLimit / static_cast<uint64_t>(extent))) {
      fail("{}: tensor {} has the impossible shape {}.", source, name, to_string(shape));
    }
    elements *= static_cast<uint64_t>(extent);
  }
  return elements;
}

std::string to_string(std::span<const int64_t> shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
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
