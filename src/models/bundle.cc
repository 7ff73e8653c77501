#include "models/bundle.h"

#include <fmt/format.h>

#include "common/front_end.h"
#include "graph/ops.h"
#include "models/decoder.h"
#include "models/encoder.h"
#include "models/features.h"
#include "models/token_text.h"
#include "whisper_s4y/error.h"

namespace whisper_s4y {
namespace {

Value audio_input(Graph& g) { return g.input("normalized_audio", DType::f32, {kWindowSamples}); }

Value features_input(Graph& g, const ModelConfig& config) {
  return g.input("input_features", DType::f32,
                 {1, config.num_mel_bins, 2 * config.max_source_positions});
}

Value hidden_input(Graph& g, const ModelConfig& config, std::string name) {
  return g.input(std::move(name), DType::f32, {1, config.max_source_positions, config.d_model});
}

LoopInputs prompt_inputs(Graph& g) {
  LoopInputs inputs;
  inputs.prompt = g.input("prompt_tokens", DType::i32, {1, kPromptCapacity});
  inputs.prompt_length = g.input("prompt_length", DType::i32, {1});
  inputs.max_length = g.input("max_length", DType::i32, {1});
  return inputs;
}

}  // namespace

void add_features(Module& module, const ModelConfig& config) {
  Graph& g = module.add_graph("features");
  module.add_signature("features", g,
                       {{"logmel", log_mel(g, audio_input(g), config.num_mel_bins)}});
}

void add_encode(Module& module, Weights& weights) {
  Graph& g = module.add_graph("encode");
  const Value input = features_input(g, weights.config());
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

void add_align(Module& module, Weights& weights, int tokens) {
  Graph& g = module.add_graph("align");
  const ModelConfig& config = weights.config();
  const GenerationConfig& generation = weights.generation();
  const Value row = g.input("tokens", DType::i32, {1, tokens});
  const Value targets = g.input("targets", DType::i32, {1, tokens});
  const Value position = g.input("position", DType::i32, {1});
  DecoderCache cache = cache_inputs(g, config, 1, config.max_target_positions);
  const DecoderPass pass = decode_sequence(g, weights, reshape(g, row, {tokens}), position, cache);

  std::vector<Value> heads;
  for (const auto& [layer, head] : generation.alignment_heads) {
    heads.push_back(slice(g, pass.cross_scores.at(static_cast<size_t>(layer)), {0, head, 0, 0},
                          {1, 1, tokens, config.max_source_positions}));
  }
  // openai/whisper timing.py find_alignment: a softmax over the ids below <|endoftext|>.
  const int text_size = generation.eos_token_id;
  const Value hidden = reshape(g, pass.hidden, {tokens, config.d_model});
  const Value probabilities =
      softmax(g, slice(g, weights.logits(g, hidden), {0, 0}, {tokens, text_size}));
  std::vector<int32_t> row_starts;
  for (int i = 0; i < tokens; ++i) row_starts.push_back(i * text_size);
  const Value last_text = g.constant_i32({text_size - 1});
  const Value column = minimum(g, reshape(g, targets, {tokens}), last_text);
  const Value index =
      add(g, maximum(g, column, g.constant_i32({0})), g.constant_i32(std::move(row_starts)));
  const Value chosen = gather(g, reshape(g, probabilities, {tokens * text_size}), index);

  std::vector<NamedValue> outputs{{"scores", concat(g, heads, 1)},
                                  {"target_probs", reshape(g, chosen, {1, tokens})}};
  append_cache_outputs(cache, outputs);
  module.add_signature("align", g, std::move(outputs));
}

void add_decode(Module& module, Weights& weights, GreedyLoop& loop) {
  Graph& g = module.add_graph("decode");
  const Value hidden = hidden_input(g, weights.config(), "encoder_hidden_states");
  const LoopInputs inputs = prompt_inputs(g);
  module.add_signature("decode", g, {{"tokens", loop.run(g, hidden, inputs)}});
}

void add_transcribe(Module& module, Weights& weights, GreedyLoop& loop, bool strings) {
  Graph& g = module.add_graph("transcribe");
  const Value audio = audio_input(g);
  const LoopInputs inputs = prompt_inputs(g);
  const Value logmel = log_mel(g, audio, weights.config().num_mel_bins);
  const Value tokens = loop.run(g, encoder(g, weights, logmel), inputs);
  const TokenText text = text_of_tokens(g, weights.checkpoint().info.vocabulary, tokens);
  std::vector<NamedValue> outputs{
      {"tokens", tokens}, {"text_bytes", text.bytes}, {"text_lengths", text.lengths}};
  if (strings) outputs.emplace_back("text", text.strings);
  module.add_signature("transcribe", g, std::move(outputs));
}

std::string_view name_of(Part part) {
  switch (part) {
    case Part::features_extractor:
      return "features-extractor";
    case Part::encoder:
      return "encoder";
    case Part::decoder:
      return "decoder";
    case Part::encoder_decoder:
      return "encoder-decoder";
    case Part::pcm_encoder:
      return "pcm-encoder";
    case Part::generator:
      return "generator";
  }
  return "unknown";
}

const std::vector<Part>& all_parts() {
  static const std::vector<Part> parts{
      Part::features_extractor, Part::encoder,     Part::decoder,
      Part::encoder_decoder,    Part::pcm_encoder, Part::generator};
  return parts;
}

Part part_of_name(std::string_view name) {
  std::string known;
  for (const Part part : all_parts()) {
    if (name_of(part) == name) return part;
    known += fmt::format("{}{}", known.empty() ? "" : ", ", name_of(part));
  }
  fail("Unknown part \"{}\": expected one of {}.", name, known);
}

void add_part(Module& module, Weights& weights, GreedyLoop& loop, Part part,
              const PromptDefaults& defaults, std::string key) {
  Graph& g = module.add_graph(key);
  const ModelConfig& config = weights.config();
  const auto tokens = [&](Value hidden) {
    return loop.run(g, hidden, constant_inputs(g, weights.generation(), defaults));
  };
  NamedValue output;
  switch (part) {
    case Part::features_extractor:
      output = {"logmel", log_mel(g, audio_input(g), config.num_mel_bins)};
      break;
    case Part::encoder:
      output = {"last_hidden_state", encoder(g, weights, features_input(g, config))};
      break;
    case Part::decoder:
      output = {"tokens", tokens(hidden_input(g, config, "encoder_hidden_states"))};
      break;
    case Part::encoder_decoder:
      output = {"tokens", tokens(encoder(g, weights, features_input(g, config)))};
      break;
    case Part::pcm_encoder:
      output = {"last_hidden_state",
                encoder(g, weights, log_mel(g, audio_input(g), config.num_mel_bins))};
      break;
    case Part::generator:
      output = {"sequences", tokens(encoder(g, weights, features_input(g, config)))};
      break;
  }
  module.add_signature(std::move(key), g, {output});
}

}  // namespace whisper_s4y
