// What a Whisper model is, apart from its weights and its vocabulary.
//
//     const whisper_s4y::ModelConfig& config = model.info().config;
//     std::vector<float> logmel(config.num_mel_bins * 3000);
//     const int first = model.info().generation.decoder_start_token_id;
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "whisper_s4y/export.h"

namespace whisper_s4y {

/// Dimensions of the network; the names are those of Hugging Face's config.json.
struct WHISPER_S4Y_API ModelConfig {
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

  bool operator==(const ModelConfig& other) const;
  bool operator!=(const ModelConfig& other) const { return !(*this == other); }
};

/// Special tokens and decoding facts; the names are those of generation_config.json where it has
/// them. -1 stands for "this model has no such token".
struct WHISPER_S4Y_API GenerationConfig {
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

  bool operator==(const GenerationConfig& other) const;
  bool operator!=(const GenerationConfig& other) const { return !(*this == other); }
};

}  // namespace whisper_s4y
