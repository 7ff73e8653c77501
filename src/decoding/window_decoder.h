// Decodes one 30 s window: prompt, rules, search, ranking (openai/whisper decoding.py).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "decoding/decoder_model.h"
#include "decoding/decoding_options.h"
#include "decoding/logit_rules.h"
#include "decoding/search.h"
#include "tokenizer/tokenizer.h"

namespace whisper_s4y {

/// <|startoftranscript|>, language and task, as the text of a window follows them; an English-only
/// model knows the first alone.
[[nodiscard]] std::vector<int> sot_sequence(const GenerationConfig& generation,
                                            std::string_view language, std::string_view task);

/// Probability of every language the model knows, for the window that is encoded (decoding.py:
/// detect_language). Throws Error when the model is English only.
[[nodiscard]] LanguageProbs detect_language(DecoderModel& model);

/// The likeliest language; the first one among equals.
[[nodiscard]] const std::pair<std::string, float>& most_likely(const LanguageProbs& probs);

/// Decodes the window that `model` has encoded. Throws Error when an option does not fit the model
/// or another option.
[[nodiscard]] DecodingResult decode_window(DecoderModel& model, const Tokenizer& tokenizer,
                                           const DecodingOptions& options);

/// Decodes one window several times, as temperature fallback does, feeding prompt and start tokens
/// only once.
class WindowDecoder {
 public:
  WindowDecoder(DecoderModel& model, const Tokenizer& tokenizer)
      : model_(model), tokenizer_(tokenizer) {}

  /// Makes logmel [num_mel_bins, 3000] the window to decode, at `positions` alone if there are any
  /// (DecoderModel::encode_sampled()).
  void encode(std::span<const float> input_features,
              const std::optional<WindowPositions>& positions = std::nullopt);

  /// Probability of every language for this window.
  [[nodiscard]] const LanguageProbs& language_probs();

  /// As decode_window().
  [[nodiscard]] DecodingResult decode(const DecodingOptions& options);

 private:
  void feed(const std::vector<int>& tokens, size_t sot_index);

  DecoderModel& model_;
  const Tokenizer& tokenizer_;
  LanguageProbs language_probs_;  // empty until asked for
  std::vector<int> fed_;          // start tokens whose state the model holds
  SearchStart start_;             // after fed_
  float no_speech_prob_ = 0.0F;   // at <|startoftranscript|> of fed_
};

}  // namespace whisper_s4y
