#include "models/bundle.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>

#include "common/fail.h"
#include "graph/ops.h"
#include "models/decoder.h"
#include "models/encoder.h"
#include "models/features.h"
#include "models/signature_builder.h"
#include "models/token_text.h"

namespace whisper_s4y {
namespace {

SignatureBuilder signature(Module& module, std::string_view key, Weights& weights) {
  return {module, contract_of(key), ContractSizes(weights.config(), weights.generation())};
}

LoopInputs prompt_inputs(SignatureBuilder& s) {
  return {.prompt = s.input("prompt_tokens"),
          .prompt_length = s.input("prompt_length"),
          .max_length = s.input("max_length")};
}

/// self_k_0, self_v_0, ..., cross_k_0, cross_v_0, ...
DecoderCache cache_inputs(SignatureBuilder& s, CacheUpdate update) {
  DecoderCache cache;
  cache.update = update;
  for (int i = 0; i < s.layers(); ++i) {
    cache.self_k.push_back(s.input("self_k_i", i));
    cache.self_v.push_back(s.input("self_v_i", i));
  }
  for (int i = 0; i < s.layers(); ++i) {
    cache.cross_k.push_back(s.input("cross_k_i", i));
    cache.cross_v.push_back(s.input("cross_v_i", i));
  }
  return cache;
}

void append_cache_outputs(const DecoderCache& cache, std::vector<NamedValue>& outputs) {
  for (size_t i = 0; i < cache.self_k.size(); ++i) {
    outputs.emplace_back(fmt::format("new_self_k_{}", i), cache.self_k[i]);
    outputs.emplace_back(fmt::format("new_self_v_{}", i), cache.self_v[i]);
  }
}

// Where a signature has more than one part of the model, each has its name in the paths.

Value features_part(Graph& g, Value normalized_audio, const ModelConfig& config) {
  const Scope scope(g, "features");
  return log_mel(g, normalized_audio, config.num_mel_bins);
}

Value encoder_part(Graph& g, Weights& weights, Value input_features) {
  const Scope scope(g, "encoder");
  return encoder(g, weights, input_features);
}

}  // namespace

void add_features(Module& module, const ModelConfig& config, std::string key) {
  SignatureBuilder s(module, contract_of("features"), ContractSizes(config, {}), std::move(key));
  s.finish({{"logmel", log_mel(s.graph(), s.input("normalized_audio"), config.num_mel_bins)}});
}

void add_encode(Module& module, Weights& weights) {
  SignatureBuilder s = signature(module, "encode", weights);
  s.finish({{"last_hidden_state", encoder(s.graph(), weights, s.input("input_features"))}});
}

void add_pcm_encode(Module& module, Weights& weights) {
  SignatureBuilder s = signature(module, "pcm_encode", weights);
  Graph& g = s.graph();
  const Value logmel = features_part(g, s.input("normalized_audio"), weights.config());
  s.finish({{"last_hidden_state", encoder_part(g, weights, logmel)}});
}

void add_cross(Module& module, Weights& weights) {
  SignatureBuilder s = signature(module, "cross", weights);
  DecoderCache cache;
  cross_attention_cache(s.graph(), weights, s.input("last_hidden_state"), cache);
  std::vector<NamedValue> outputs;
  for (size_t i = 0; i < cache.cross_k.size(); ++i) {
    outputs.emplace_back(fmt::format("cross_k_{}", i), cache.cross_k[i]);
    outputs.emplace_back(fmt::format("cross_v_{}", i), cache.cross_v[i]);
  }
  s.finish(std::move(outputs));
}

void add_step(Module& module, Weights& weights, CacheUpdate update) {
  SignatureBuilder s = signature(module, "step", weights);
  Graph& g = s.graph();
  const Value token = s.input("token");
  const Value position = s.input("position");
  DecoderCache cache = cache_inputs(s, update);
  const DecoderPass pass = decode_sequence(g, weights, token, position, cache);
  const Value last = reshape(g, pass.hidden, {1, weights.config().d_model});
  std::vector<NamedValue> outputs{{"logits", weights.logits(g, last)}};
  append_cache_outputs(cache, outputs);
  s.finish(std::move(outputs));
}

void add_prefill(Module& module, Weights& weights, int tokens, CacheUpdate update) {
  SignatureBuilder s = signature(module, "prefill", weights);
  s.choose(Dim::tokens, tokens);
  Graph& g = s.graph();
  const Value row = s.input("tokens");
  const Value position = s.input("position");
  const Value length = s.input("length");
  DecoderCache cache = cache_inputs(s, update);
  const DecoderPass pass = decode_sequence(g, weights, reshape(g, row, {tokens}), position, cache);
  const Value last_row = sub(g, length, g.constant_i32({1}));
  const Value hidden = reshape(g, pass.hidden, {tokens, weights.config().d_model});
  const Value last = gather(g, hidden, last_row);
  std::vector<NamedValue> outputs{{"logits", weights.logits(g, last)}};
  append_cache_outputs(cache, outputs);
  s.finish(std::move(outputs));
}

void add_step_beam(Module& module, Weights& weights, int beams, CacheUpdate update) {
  SignatureBuilder s = signature(module, "step_beam", weights);
  s.choose(Dim::hypotheses, beams);
  Graph& g = s.graph();
  const Value tokens = s.input("tokens");
  const Value position = s.input("position");
  DecoderCache cache = cache_inputs(s, update);
  const DecoderPass pass = decode_hypotheses(g, weights, tokens, position, cache);
  const Value hidden = reshape(g, pass.hidden, {beams, weights.config().d_model});
  std::vector<NamedValue> outputs{{"logits", weights.logits(g, hidden)}};
  append_cache_outputs(cache, outputs);
  s.finish(std::move(outputs));
}

void add_align(Module& module, Weights& weights, int tokens, CacheUpdate update) {
  SignatureBuilder s = signature(module, "align", weights);
  s.choose(Dim::tokens, tokens);
  Graph& g = s.graph();
  const ModelConfig& config = weights.config();
  const GenerationConfig& generation = weights.generation();
  const Value row = s.input("tokens");
  const Value targets = s.input("targets");
  const Value position = s.input("position");
  DecoderCache cache = cache_inputs(s, update);
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
  const Value starts = g.constant_i32(std::move(row_starts));
  const Value index = add(g, maximum(g, column, g.constant_i32({0})), starts);
  const Value chosen = gather(g, reshape(g, probabilities, {tokens * text_size}), index);

  std::vector<NamedValue> outputs{{"scores", concat(g, heads, 1)},
                                  {"target_probs", reshape(g, chosen, {1, tokens})}};
  append_cache_outputs(cache, outputs);
  s.finish(std::move(outputs));
}

void add_decode(Module& module, Weights& weights, GreedyLoop& loop) {
  SignatureBuilder s = signature(module, "decode", weights);
  const Value hidden = s.input("encoder_hidden_states");
  const LoopInputs inputs = prompt_inputs(s);
  s.finish({{"tokens", loop.run(s.graph(), hidden, inputs)}});
}

void add_transcribe(Module& module, Weights& weights, GreedyLoop& loop, bool strings) {
  SignatureBuilder s = signature(module, "transcribe", weights);
  Graph& g = s.graph();
  const Value audio = s.input("normalized_audio");
  const LoopInputs inputs = prompt_inputs(s);
  const Value logmel = features_part(g, audio, weights.config());
  const Value tokens = loop.run(g, encoder_part(g, weights, logmel), inputs);
  const TokenText text = text_of_tokens(g, weights.checkpoint().info.vocabulary, tokens);
  std::vector<NamedValue> outputs{
      {"tokens", tokens}, {"text_bytes", text.bytes}, {"text_lengths", text.lengths}};
  if (strings) outputs.emplace_back("text", text.strings);
  s.finish(std::move(outputs));
}

std::string_view name_of(Part part) { return kPartNames[static_cast<size_t>(part)]; }

const std::vector<Part>& all_parts() {
  static const std::vector<Part> parts{
      Part::features_extractor, Part::encoder,     Part::decoder,
      Part::encoder_decoder,    Part::pcm_encoder, Part::generator};
  return parts;
}

Part part_of_name(std::string_view name) {
  const auto found = std::ranges::find(kPartNames, name);
  if (found != std::end(kPartNames)) return static_cast<Part>(found - std::begin(kPartNames));
  fail(ErrorCode::invalid_argument, "Unknown part \"{}\": expected one of {}.", name,
       fmt::join(kPartNames, ", "));
}

void add_part(Module& module, Weights& weights, GreedyLoop& loop, Part part,
              const PromptDefaults& defaults, std::string key) {
  SignatureBuilder s(module, contract_of_part(name_of(part)),
                     ContractSizes(weights.config(), weights.generation()), std::move(key));
  Graph& g = s.graph();
  const auto features = [&] {
    return features_part(g, s.input("normalized_audio"), weights.config());
  };
  const auto hidden = [&] { return encoder_part(g, weights, s.input("input_features")); };
  const auto tokens = [&](Value states) {
    return loop.run(g, states, constant_inputs(g, weights.generation(), defaults));
  };
  NamedValue output;
  switch (part) {
    case Part::features_extractor:
      output = {"logmel", features()};
      break;
    case Part::encoder:
      output = {"last_hidden_state", hidden()};
      break;
    case Part::decoder:
      output = {"tokens", tokens(s.input("encoder_hidden_states"))};
      break;
    case Part::encoder_decoder:
      output = {"tokens", tokens(hidden())};
      break;
    case Part::pcm_encoder:
      output = {"last_hidden_state", encoder_part(g, weights, features())};
      break;
    case Part::generator:
      output = {"sequences", tokens(hidden())};
      break;
  }
  s.finish({output});
}

}  // namespace whisper_s4y
