// The tokenizers of the published models.
#pragma once

#include "config/model_info.h"
#include "tokenizer/tokenizer.h"
#include "vocabulary/generation.h"
#include "vocabulary/standard_vocabulary.h"

namespace whisper_s4y {

/// Tokens and ids of a model with 51864 (English only), 51865 or 51866 tokens.
inline ModelInfo standard_model(int vocab_size) {
  ModelInfo info;
  info.config = {.vocab_size = vocab_size,
                 .num_mel_bins = 80,
                 .d_model = 384,
                 .encoder_layers = 4,
                 .encoder_attention_heads = 6,
                 .encoder_ffn_dim = 1536,
                 .decoder_layers = 4,
                 .decoder_attention_heads = 6,
                 .decoder_ffn_dim = 1536};
  info.vocabulary = standard_vocabulary(vocab_size, "the test");
  complete_generation(info, vocab_size > 51864, "test");
  return info;
}

inline const ModelInfo& english_model() {
  static const ModelInfo model = standard_model(51864);
  return model;
}

inline const ModelInfo& multilingual_model() {
  static const ModelInfo model = standard_model(51865);
  return model;
}

inline Tokenizer tokenizer_of(const ModelInfo& model) {
  return {model.vocabulary, model.generation};
}

}  // namespace whisper_s4y
