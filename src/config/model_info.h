// What a Whisper model is, apart from its weights: dimensions, special tokens, vocabulary.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace whisper_s4y {

/// Dimensions of the network; the names are those of Hugging Face's config.json.
struct ModelConfig {
  int vocab_size = 0;               // rows of the token embedding
  int num_mel_bins = 80;            // 80, or 128 from large-v3 on
  int d_model = 0;                  // width of every layer
  int encoder_layers = 0;           //
  int encoder_attention_heads = 0;  // d_model is a multiple of it
  int encoder_ffn_dim = 0;          //
  int decoder_layers = 0;           //
  int decoder_attention_heads = 0;  // d_model is a multiple of it
  int decoder_ffn_dim = 0;          //
  int max_source_positions = 1500;  // encoder positions of one 30 s window
  int max_target_positions = 448;   // decoder positions

  bool operator==(const ModelConfig&) const = default;
};

/// Special tokens and decoding facts; the names are those of generation_config.json where it has
/// them. -1 stands for "this model has no such token".
struct GenerationConfig {
  bool is_multilingual = false;
  int eos_token_id = -1;                                // <|endoftext|>
  int decoder_start_token_id = -1;                      // <|startoftranscript|>
  int translate_token_id = -1;                          // <|translate|>
  int transcribe_token_id = -1;                         // <|transcribe|>
  int sot_lm_token_id = -1;                             // <|startoflm|>
  int prev_sot_token_id = -1;                           // <|startofprev|>
  int no_speech_token_id = -1;                          // <|nospeech|>, older name <|nocaptions|>
  int no_timestamps_token_id = -1;                      // <|notimestamps|>; the next id is <|0.00|>
  int max_initial_timestamp_index = 50;                 // first timestamp at most 1.00 s
  std::vector<std::pair<std::string, int>> lang_to_id;  // "en" -> id, in the order of the ids
  std::vector<int> suppress_tokens;                     // never sampled
  std::vector<int> begin_suppress_tokens;               // not sampled at the first position
  std::vector<std::pair<int, int>> alignment_heads;     // (decoder layer, head) for word times

  [[nodiscard]] int timestamp_begin() const { return no_timestamps_token_id + 1; }
  /// Token id of a language code ("en"), or -1.
  [[nodiscard]] int language_token(std::string_view code) const;
  /// Language code of a token id, or an empty string.
  [[nodiscard]] std::string_view language_of_token(int id) const;

  bool operator==(const GenerationConfig&) const = default;
};

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
