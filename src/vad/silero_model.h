// Silero VAD (github.com/snakers4/silero-vad) as a graph of ours.
#pragma once

#include <vector>

#include "checkpoint/checkpoint.h"
#include "graph/graph.h"
#include "whisper_s4y/vad.h"

namespace whisper_s4y {

inline constexpr int kVadContext = 64;     // samples before the chunk that the model sees too
inline constexpr int kVadStateSize = 128;  // numbers in each of the two state vectors

/// The weights that are part of the program: Silero VAD 6.2.3, 16 kHz.
[[nodiscard]] std::vector<TensorView> built_in_silero_weights();

/// Adds a signature `key` that looks at `chunks` consecutive chunks at once:
///   samples f32[chunks, 64 + 512]  each chunk after the last 64 samples of the one before it;
///                                  before the first chunk of a recording these are zeros
///   h, c f32[1, 128]               the LSTM's state, zeros at the beginning
///   -> speech_probs f32[chunks, 1], and hn, cn f32[1, 128], the state for the chunks that follow
/// Weights have the names of silero_vad.safetensors. Throws Error naming `source` and the
/// tensor when one is missing or has an unexpected shape.
void add_silero_vad(Module& module, const std::string& key, int chunks,
                    const std::vector<TensorView>& weights, const std::string& source);

}  // namespace whisper_s4y
