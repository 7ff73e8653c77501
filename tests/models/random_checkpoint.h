// Checkpoints of any shape with random weights, in memory.
#pragma once

#include "checkpoint/checkpoint.h"

namespace whisper_s4y::testing {

/// A config of the given width with one head per 8 columns or so, real positions and 20 text
/// tokens, a blank, "b" to "t", and 7 "together", before the special tokens.
[[nodiscard]] ModelConfig small_config(int d_model = 16, int heads = 2, int layers = 1);

/// Weights are normal numbers that keep activations near 1, equal for equal seeds; the encoder's
/// positions are sinusoids. Ids:
/// 20 <|endoftext|>, 21 <|startoftranscript|>, 22 <|en|>, 23 <|de|>, 24 <|translate|>,
/// 25 <|transcribe|>, 26 <|startoflm|>, 27 <|startofprev|>, 28 <|nospeech|>, 29 <|notimestamps|>,
/// from 30 on <|0.00|> to <|30.00|>; further ids of a larger vocabulary are text again.
[[nodiscard]] Checkpoint random_checkpoint(const ModelConfig& config, unsigned seed = 1);

}  // namespace whisper_s4y::testing
