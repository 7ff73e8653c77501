#include "models/bundle.h"

#include <fmt/format.h>

#include "graph/ops.h"
#include "models/decoder.h"
#include "models/encoder.h"
#include "models/features.h"

namespace whisper_s4y {
namespace {

Value audio_input(Graph& g) { return g.input("normalized_audio", DType::f32, {kWindowSamples}); }

}  // namespace

void add_features(Module& module, const ModelConfig& config) {
  Graph& g = module.add_graph("features");
  module.add_signature("features", g,
                       {{"logmel", log_mel(g, audio_input(g), config.num_mel_bins)}});
}

void add_encode(Module& module, Weights& weights) {
  Graph& g = module.add_graph("encode");
  const ModelConfig& config = weights.config();
  const Value input = g.input("input_features", DType::f32,
                              {1, config.num_mel_bins, 2 * config.max_source_positions});
  module.add_signature("encode", g, {{"last_hidden_state", encoder(g, weights, input)}});
}

void add_pcm_encode(Module& module, Weights& weights) {
  Graph& g = module.add_graph("pcm_encode");
  const Value logmel = log_mel(g, audio_input(g), weights.config().num_mel_bins);
  module.add_signature("pcm_encode", g, {{"last_hidden_state", encoder(g, weights, logmel)}});
}

void add_cross(Module& module, Weights& weights) {
  Graph& g = module.add_graph("cross");
  const ModelConfig& config = weights.config();
  const Value input =
      g.input("last_hidden_state", DType::f32, {1, config.max_source_positions, config.d_model});
  DecoderCache cache;
  cross_attention_cache(g, weights, input, cache);
  std::vector<NamedValue> outputs;
  for (size_t i = 0; i < cache.cross_k.size(); ++i) {
    outputs.emplace_back(fmt::format("cross_k_{}", i), cache.cross_k[i]);
    outputs.emplace_back(fmt::format("cross_v_{}", i), cache.cross_v[i]);
  }
  module.add_signature("cross", g, std::move(outputs));
}

void add_step(Module& module, Weights& weights) {
  Graph& g = module.add_graph("step");
  const ModelConfig& config = weights.config();
  const Value token = g.input("token", DType::i32, {1});
  const Value position = g.input("position", DType::i32, {1});
  DecoderCache cache = cache_inputs(g, config, 1, config.max_target_positions);
  const DecoderPass pass = decode_sequence(g, weights, token, position, cache);
  const Value last = reshape(g, pass.hidden, {1, config.d_model});
  std::vector<NamedValue> outputs{{"logits", weights.logits(g, last)}};
  append_cache_outputs(cache, outputs);
  module.add_signature("step", g, std::move(outputs));
}

void add_prefill(Module& module, Weights& weights, int tokens) {
  Graph& g = module.add_graph("prefill");
  const ModelConfig& config = weights.config();
  const Value row = g.input("tokens", DType::i32, {1, tokens});
  const Value position = g.input("position", DType::i32, {1});
  const Value length = g.input("length", DType::i32, {1});
  DecoderCache cache = cache_inputs(g, config, 1, config.max_target_positions);
  const DecoderPass pass = decode_sequence(g, weights, reshape(g, row, {tokens}), position, cache);
  const Value last = gather(g, reshape(g, pass.hidden, {tokens, config.d_model}),
                            sub(g, length, g.constant_i32({1})));
  std::vector<NamedValue> outputs{{"logits", weights.logits(g, last)}};
  append_cache_outputs(cache, outputs);
  module.add_signature("prefill", g, std::move(outputs));
}

void add_step_beam(Module& module, Weights& weights, int beams) {
  Graph& g = module.add_graph("step_beam");
  const ModelConfig& config = weights.config();
  const Value tokens = g.input("tokens", DType::i32, {beams});
  const Value position = g.input("position", DType::i32, {1});
  DecoderCache cache = cache_inputs(g, config, beams, config.max_target_positions);
  const DecoderPass pass = decode_hypotheses(g, weights, tokens, position, cache);
  const Value hidden = reshape(g, pass.hidden, {beams, config.d_model});
  std::vector<NamedValue> outputs{{"logits", weights.logits(g, hidden)}};
  append_cache_outputs(cache, outputs);
  module.add_signature("step_beam", g, std::move(outputs));
}

}  // namespace whisper_s4y
