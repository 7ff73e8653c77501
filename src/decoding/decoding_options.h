// What one 30 s window is decoded with, and what comes out.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace whisper_s4y {

/// Language code ("en") and probability, in the order of the language tokens.
using LanguageProbs = std::vector<std::pair<std::string, float>>;

/// Options of one window; names and defaults are those of openai/whisper decoding.py where it has
/// them.
struct DecodingOptions {
  std::string task = "transcribe";      // or "translate": into English
  std::optional<std::string> language;  // code of the speech, "en"; nothing = detect

  float temperature = 0.0F;             // 0 = most likely token; above, sample softmax(logits / t)
  std::optional<int> sample_len;        // most tokens to sample; nothing = half the context, 224
  std::optional<int> max_new_tokens;    // the same by its Hugging Face name; may exceed 224
  std::optional<int> best_of;           // independent samples when temperature > 0; nothing = 1
  std::optional<int> beam_size;         // beam search when temperature = 0; nothing = greedy
  std::optional<float> patience;        // finished beams to wait for / beam_size; nothing = 1
  std::optional<float> length_penalty;  // alpha in [0, 1] of ((5 + n) / 6)^alpha; nothing = n

  std::vector<int> prompt;  // tokens of the text before this window; last 223 are used
  std::vector<int> prefix;  // tokens this window's text begins with; in the result

  std::vector<int> suppress_tokens = {-1};            // -1 = the non-speech list; empty = rule off
  bool suppress_blank = true;                         // no blank and no end at the first position
  bool without_timestamps = false;                    // text only
  std::optional<float> max_initial_timestamp = 1.0F;  // seconds; nothing = no limit
  float speech_until = 0.0F;        // seconds: text does not end at a pair of timestamps before
  float repetition_penalty = 1.0F;  // > 1 makes tokens seen in the window rarer
  int no_repeat_ngram_size = 0;     // no run of that many tokens twice; 0 = off
  bool loop_guard = true;           // stop where the text runs in a loop

  uint64_t seed = 0;  // of the random numbers when temperature > 0

  std::function<void(float seconds)> on_timestamp;  // one was chosen, in whatever hypothesis
};

/// One decoded window.
struct DecodingResult {
  std::vector<int> tokens;            // sampled tokens with timestamps, without <|endoftext|>
  std::vector<float> token_logprobs;  // of each of them; 0 of those given as the prefix
  std::string text;                   // their text, stripped
  float avg_logprob = std::numeric_limits<float>::quiet_NaN();  // log-prob per token, end included
  float no_speech_prob = std::numeric_limits<float>::quiet_NaN();  // of <|nospeech|> at the start
  float temperature = 0.0F;                                        // it was decoded with
  float compression_ratio = 0.0F;  // bytes of text / zlib bytes, of a loop as far as it went
  bool at_limit = false;           // it did not end before it had all the tokens it may have
  bool looped = false;             // the text ran in a loop and was cut after its first turn
  std::string language;            // code, given or detected
  LanguageProbs language_probs;    // empty when it was given
};

}  // namespace whisper_s4y
