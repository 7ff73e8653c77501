// A vocabulary small enough to write scripts for: single letters are words.
#pragma once

#include <string>
#include <vector>

#include "config/model_info.h"
#include "decoding/logit_math.h"
#include "scripted_model.h"

namespace whisper_s4y::testing {

inline constexpr int kWordA = 256;  // " a", then " b" ... " z"
inline constexpr int kEot = 282;
inline constexpr int kSot = 283;
inline constexpr int kEnglish = 284;
inline constexpr int kGerman = 285;
inline constexpr int kFrench = 286;
inline constexpr int kTranslate = 287;
inline constexpr int kTranscribe = 288;
inline constexpr int kSotLm = 289;
inline constexpr int kSotPrev = 290;
inline constexpr int kNoSpeech = 291;
inline constexpr int kNoTimestamps = 292;
inline constexpr int kTime = 293;  // <|0.00|>
inline constexpr int kVocabSize = kTime + 1501;

/// Token of the word " x".
inline int word(char letter) { return kWordA + (letter - 'a'); }
/// Token of a time in seconds.
inline int at(double seconds) { return kTime + static_cast<int>(seconds * 50 + 0.5); }

inline ModelInfo toy_info(bool multilingual = true) {
  ModelInfo info;
  info.name = multilingual ? "toy" : "toy.en";
  info.config.vocab_size = kVocabSize;
  info.config.num_mel_bins = 1;
  info.config.d_model = 4;
  info.config.encoder_layers = info.config.decoder_layers = 1;
  info.config.encoder_attention_heads = info.config.decoder_attention_heads = 1;
  info.config.encoder_ffn_dim = info.config.decoder_ffn_dim = 4;

  GenerationConfig& generation = info.generation;
  generation.is_multilingual = multilingual;
  generation.eos_token_id = kEot;
  generation.decoder_start_token_id = kSot;
  generation.translate_token_id = kTranslate;
  generation.transcribe_token_id = kTranscribe;
  generation.sot_lm_token_id = kSotLm;
  generation.prev_sot_token_id = kSotPrev;
  generation.no_speech_token_id = kNoSpeech;
  generation.no_timestamps_token_id = kNoTimestamps;
  generation.lang_to_id = {{"en", kEnglish}, {"de", kGerman}, {"fr", kFrench}};

  Vocabulary& vocabulary = info.vocabulary;
  const auto add = [&](std::string token, bool special) {
    vocabulary.ranks.push_back(special ? -1 : static_cast<int32_t>(vocabulary.tokens.size()));
    vocabulary.tokens.push_back(std::move(token));
    vocabulary.special.push_back(special ? 1 : 0);
  };
  for (int byte = 0; byte < 256; ++byte) add(std::string(1, static_cast<char>(byte)), false);
  for (char letter = 'a'; letter <= 'z'; ++letter) add(std::string(" ") + letter, false);
  for (const char* name :
       {"<|endoftext|>", "<|startoftranscript|>", "<|en|>", "<|de|>", "<|fr|>", "<|translate|>",
        "<|transcribe|>", "<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>"}) {
    add(name, true);
  }
  for (int i = 0; i <= 1500; ++i) add(fmt::format("<|{:.2f}|>", i * 0.02), true);
  return info;
}

/// Logits that make `token` nearly certain.
inline std::vector<float> surely(int token, float logit = 20.0F) {
  std::vector<float> logits(kVocabSize, 0.0F);
  logits[static_cast<size_t>(token)] = logit;
  return logits;
}

}  // namespace whisper_s4y::testing
