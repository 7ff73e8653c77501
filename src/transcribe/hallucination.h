// Text the model made up where nobody speaks (openai/whisper transcribe.py:
// hallucination_silence_threshold).
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "transcribe/segments.h"

namespace whisper_s4y {

/// True when the first words of a segment are too long, too short or too improbable to be real.
[[nodiscard]] bool is_anomaly(const Segment& segment);

struct HallucinationCheck {
  int next_seek = 0;          // where to go on
  bool decode_again = false;  // the window begins with silence: nothing of it is kept
};

/// Looks for anomalous segments with more than `threshold` seconds of silence around them and
/// removes them and what follows. `segments` have words; `next_seek` is where the window's own
/// timestamps lead; `last_speech` is when the speech before the window ended; the recording has
/// `content_frames`.
[[nodiscard]] HallucinationCheck skip_hallucinations(std::vector<Segment>& segments,
                                                     const WindowPlace& place, double threshold,
                                                     double last_speech, int content_frames,
                                                     bool single_timestamp_ending, int next_seek);

}  // namespace whisper_s4y
