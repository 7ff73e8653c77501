// The audio encoder as a graph.
#pragma once

#include "models/weights.h"

namespace whisper_s4y {

/// input_features f32[1, num_mel_bins, 3000] -> last_hidden_state f32[1, 1500, d_model].
Value encoder(Graph& g, Weights& weights, Value input_features);

}  // namespace whisper_s4y
