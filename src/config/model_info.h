// What a Whisper model is, apart from its weights: dimensions, special tokens, vocabulary.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "whisper_s4y/model_config.h"

namespace whisper_s4y {

/// The byte-level BPE vocabulary.
struct Vocabulary {
  std::vector<std::string> tokens;  // by id: raw bytes; for special tokens their text, <|en|>
  std::vector<uint8_t> special;     // by id: 1 for special tokens, which are not text
  std::vector<int32_t> ranks;       // by id: merge priority, lower first; -1 never a merge result

  bool operator==(const Vocabulary&) const = default;
};

/// Everything about a model but its weights. Travels from the checkpoint through the .tflite
/// metadata to the decoder.
struct ModelInfo {
  std::string name;  // "tiny.en", or the last part of the checkpoint's path
  ModelConfig config;
  GenerationConfig generation;
  Vocabulary vocabulary;
};

/// Throws Error naming the field when dimensions are impossible (zero, negative, absurdly large,
/// d_model not a multiple of the heads, ids outside the vocabulary).
void validate(const ModelInfo& info, std::string_view source);

/// The part of validate() that looks at the dimensions only.
void validate_dimensions(const ModelConfig& config, std::string_view source);

/// JSON with the fields of ModelConfig and GenerationConfig, as kept in the .tflite metadata.
[[nodiscard]] std::string to_json(const ModelConfig& config, const GenerationConfig& generation);
void from_json(std::string_view json, std::string_view source, ModelConfig& config,
               GenerationConfig& generation);

/// Text form of the vocabulary as kept in the .tflite metadata: one line per id,
/// "base64(bytes) rank" (the tiktoken format), special tokens with rank "special".
[[nodiscard]] std::string to_text(const Vocabulary& vocabulary);
[[nodiscard]] Vocabulary vocabulary_from_text(std::string_view text, std::string_view source);

}  // namespace whisper_s4y
