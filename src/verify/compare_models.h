// How far one model is from another on the same sound.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "runtime/whisper_model.h"
#include "tflite/reader.h"

namespace whisper_s4y {

/// Of numbers from those of the reference.
struct Difference {
  double relative = 0;  // root mean square of the difference / that of the reference
  double largest = 0;   // of a single number
};

[[nodiscard]] Difference difference_of(std::span<const float> numbers,
                                       std::span<const float> reference);

/// What two models make of one 30 s window.
struct WindowComparison {
  Difference mel;      // logmel
  Difference encoder;  // last_hidden_state
  Difference logits;   // after every token of the reference, each row less its mean
  std::vector<int> tokens;
  std::vector<int> reference_tokens;
  int first_difference = -1;  // index of the first token that differs; -1: none does
  std::string text;
  std::string reference_text;
};

/// What is allowed of Difference::relative.
struct Bounds {
  double mel = 0;
  double encoder = 0;
  double logits = 0;
};

/// Bounds for a file by the number formats in its metadata: at least twice what tiny.en and base
/// show on a recording (docs/quantization.md).
[[nodiscard]] Bounds default_bounds(const TfliteFile& file);

/// Compares on normalized_audio f32[480000]; `max_tokens` of each are decoded at most. Throws Error
/// when the models have other dimensions or vocabularies.
[[nodiscard]] WindowComparison compare_models(WhisperModel& model, WhisperModel& reference,
                                              std::span<const float> normalized_audio,
                                              int max_tokens);

}  // namespace whisper_s4y
