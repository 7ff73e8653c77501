#include "models/random_checkpoint.h"

#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <random>

#include "config/sinusoids.h"

namespace whisper_s4y::testing {
namespace {

constexpr int kTextTokens = 20;
constexpr int kTimestamps = 1501;
constexpr int kTimestampBegin = 30;

class Builder {
 public:
  Builder(Checkpoint& checkpoint, unsigned seed) : checkpoint_(checkpoint), random_(seed) {}

  void tensor(std::string name, std::vector<int64_t> shape, float mean, float deviation) {
    int64_t count = 1;
    for (const int64_t size : shape) count *= size;
    std::normal_distribution<float> normal(mean, deviation);
    std::vector<float> numbers(static_cast<size_t>(count));
    for (float& number : numbers) number = normal(random_);
    tensor(std::move(name), std::move(shape), numbers);
  }

  void tensor(std::string name, std::vector<int64_t> shape, const std::vector<float>& numbers) {
    auto bytes = std::make_shared<std::vector<std::byte>>(numbers.size() * sizeof(float));
    std::memcpy(bytes->data(), numbers.data(), bytes->size());
    TensorView view;
    view.name = name;
    view.shape = std::move(shape);
    view.bytes = *bytes;
    view.copy = std::move(bytes);
    checkpoint_.tensors.emplace(std::move(name), std::move(view));
  }

  void linear(const std::string& prefix, int out, int in, bool bias = true) {
    tensor(prefix + ".weight", {out, in}, 0, 1.0F / std::sqrt(static_cast<float>(in)));
    if (bias) tensor(prefix + ".bias", {out}, 0, 0.1F);
  }

  void norm(const std::string& prefix, int size) {
    tensor(prefix + ".weight", {size}, 1, 0.1F);
    tensor(prefix + ".bias", {size}, 0, 0.1F);
  }

  void attention(const std::string& prefix, int d) {
    linear(prefix + ".q_proj", d, d);
    linear(prefix + ".k_proj", d, d, false);
    linear(prefix + ".v_proj", d, d);
    linear(prefix + ".out_proj", d, d);
    norm(prefix + "_layer_norm", d);
  }

  void layer(const std::string& prefix, int d, int ffn, bool cross) {
    attention(prefix + ".self_attn", d);
    if (cross) attention(prefix + ".encoder_attn", d);
    linear(prefix + ".fc1", ffn, d);
    linear(prefix + ".fc2", d, ffn);
    norm(prefix + ".final_layer_norm", d);
  }

 private:
  Checkpoint& checkpoint_;
  std::mt19937 random_;
};

Vocabulary vocabulary(int size) {
  Vocabulary v;
  for (int id = 0; id < size; ++id) {
    const bool special = id >= kTextTokens && id < kTimestampBegin + kTimestamps;
    v.tokens.push_back(special            ? fmt::format("<|{}|>", id)
                       : id == 0          ? " "
                       : id == 7          ? "together"
                       : id < kTextTokens ? std::string(1, static_cast<char>('a' + id))
                                          : fmt::format("word{}", id));
    v.special.push_back(special ? 1 : 0);
    v.ranks.push_back(special ? -1 : id);
  }
  return v;
}

}  // namespace

ModelConfig small_config(int d_model, int heads, int layers) {
  return {.vocab_size = kTimestampBegin + kTimestamps,
          .num_mel_bins = 80,
          .d_model = d_model,
          .encoder_layers = layers,
          .encoder_attention_heads = heads,
          .encoder_ffn_dim = 2 * d_model,
          .decoder_layers = layers,
          .decoder_attention_heads = heads,
          .decoder_ffn_dim = 2 * d_model};
}

Checkpoint random_checkpoint(const ModelConfig& c, unsigned seed) {
  Checkpoint checkpoint;
  checkpoint.format = "random";
  checkpoint.path = "random";
  checkpoint.info.name = "random";
  checkpoint.info.config = c;
  GenerationConfig& g = checkpoint.info.generation;
  g.is_multilingual = true;
  g.eos_token_id = 20;
  g.decoder_start_token_id = 21;
  g.lang_to_id = {{"en", 22}, {"de", 23}};
  g.translate_token_id = 24;
  g.transcribe_token_id = 25;
  g.sot_lm_token_id = 26;
  g.prev_sot_token_id = 27;
  g.no_speech_token_id = 28;
  g.no_timestamps_token_id = 29;
  g.suppress_tokens = {3, 21, 22, 23, 24, 25, 26, 27, 28};
  g.begin_suppress_tokens = {0, 20};
  g.alignment_heads = {{c.decoder_layers - 1, 0}, {0, c.decoder_attention_heads - 1}};
  checkpoint.info.vocabulary = vocabulary(c.vocab_size);

  Builder b(checkpoint, seed);
  const int d = c.d_model;
  b.tensor("encoder.conv1.weight", {d, c.num_mel_bins, 3}, 0, 0.1F);
  b.tensor("encoder.conv1.bias", {d}, 0, 0.1F);
  b.tensor("encoder.conv2.weight", {d, d, 3}, 0, 0.3F);
  b.tensor("encoder.conv2.bias", {d}, 0, 0.1F);
  b.tensor("encoder.embed_positions.weight", {c.max_source_positions, d},
           sinusoids(c.max_source_positions, d));
  b.tensor("decoder.embed_positions.weight", {c.max_target_positions, d}, 0, 0.5F);
  b.tensor("decoder.embed_tokens.weight", {c.vocab_size, d}, 0, 0.5F);
  b.norm("encoder.layer_norm", d);
  b.norm("decoder.layer_norm", d);
  for (int i = 0; i < c.encoder_layers; ++i) {
    b.layer(fmt::format("encoder.layers.{}", i), d, c.encoder_ffn_dim, false);
  }
  for (int i = 0; i < c.decoder_layers; ++i) {
    b.layer(fmt::format("decoder.layers.{}", i), d, c.decoder_ffn_dim, true);
  }
  return checkpoint;
}

}  // namespace whisper_s4y::testing
