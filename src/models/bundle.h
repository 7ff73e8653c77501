// The signatures of the bundle: one subgraph each, all over the same weights.
#pragma once

#include "graph/graph.h"
#include "models/decode_loop.h"
#include "models/decoder.h"
#include "models/weights.h"

namespace whisper_s4y {

void add_features(Module& module, const ModelConfig& config, std::string key = "features");
void add_encode(Module& module, Weights& weights);
void add_pcm_encode(Module& module, Weights& weights);
void add_cross(Module& module, Weights& weights);
void add_step(Module& module, Weights& weights, CacheUpdate update);
/// `tokens` of them at a time.
void add_prefill(Module& module, Weights& weights, int tokens, CacheUpdate update);
void add_step_beam(Module& module, Weights& weights, int beams, CacheUpdate update);
/// Like prefill, but reports where the alignment heads look and how likely each of `targets` is
/// after the tokens before it.
void add_align(Module& module, Weights& weights, int tokens, CacheUpdate update);
/// encoder_hidden_states, prompt_tokens, prompt_length, max_length -> tokens.
void add_decode(Module& module, Weights& weights, GreedyLoop& loop);
/// normalized_audio, prompt_tokens, prompt_length, max_length -> tokens and their text as bytes,
/// and with `strings` as a string tensor too, which not every interpreter can give out.
void add_transcribe(Module& module, Weights& weights, GreedyLoop& loop, bool strings);

/// One part of the Python package alone: a signature with the prompt inside where it gives tokens.
enum class Part { features_extractor, encoder, decoder, encoder_decoder, pcm_encoder, generator };
inline constexpr std::string_view kPartNames[] = {"features-extractor", "encoder",     "decoder",
                                                  "encoder-decoder",    "pcm-encoder", "generator"};

[[nodiscard]] std::string_view name_of(Part part);
/// "features-extractor", "encoder", ...; throws Error for others.
[[nodiscard]] Part part_of_name(std::string_view name);
[[nodiscard]] const std::vector<Part>& all_parts();

void add_part(Module& module, Weights& weights, GreedyLoop& loop, Part part,
              const PromptDefaults& defaults, std::string key);

}  // namespace whisper_s4y
