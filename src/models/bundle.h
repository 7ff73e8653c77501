// The signatures of the bundle: one subgraph each, all over the same weights.
#pragma once

#include "graph/graph.h"
#include "models/weights.h"

namespace whisper_s4y {

void add_features(Module& module, const ModelConfig& config);
void add_encode(Module& module, Weights& weights);
void add_pcm_encode(Module& module, Weights& weights);
void add_cross(Module& module, Weights& weights);
void add_step(Module& module, Weights& weights);
/// `tokens` of them at a time.
void add_prefill(Module& module, Weights& weights, int tokens);
void add_step_beam(Module& module, Weights& weights, int beams);

}  // namespace whisper_s4y
