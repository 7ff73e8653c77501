// The log-mel front end as a graph.
#pragma once

#include "graph/graph.h"

namespace whisper_s4y {

/// normalized_audio f32[480000] -> logmel f32[1, num_mel_bins, 3000], as openai/whisper audio.py
/// log_mel_spectrogram: 400-point DFT every 160 samples, periodic Hann window, reflected edges,
/// slaney mel filters, log10 clamped at 8 below the maximum, (x + 4) / 4.
Value log_mel(Graph& g, Value normalized_audio, int num_mel_bins);

}  // namespace whisper_s4y
