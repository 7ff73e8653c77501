// Which tokens may come next. Every rule changes one row of logits in place. Twin of
// models/graph_logit_rules.h, the same rules as graph ops; a rule that both have changes in both.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "config/model_info.h"

namespace whisper_s4y {

/// Masks the blank " " and <|endoftext|> (openai/whisper decoding.py: SuppressBlank). For the first
/// sampled position only.
void suppress_blank(std::span<float> logits, std::span<const int> blank_tokens);

/// Masks `tokens` (decoding.py: SuppressTokens).
void suppress_tokens(std::span<float> logits, std::span<const int> tokens);

/// Timestamps come in pairs, never go back, begin the window, and are taken when all of them
/// together are likelier than any text token (decoding.py: ApplyTimestampRules). `sampled` are the
/// tokens of this window sampled so far; the first timestamp is at most
/// `max_initial_timestamp_index` (nothing = no limit).
void apply_timestamp_rules(std::span<float> logits, std::span<const int> sampled,
                           const GenerationConfig& generation,
                           std::optional<int> max_initial_timestamp_index);

/// Masks `eot` after a pair of timestamps earlier than the `index`-th: a model that hears speech
/// cut off likes to leave it to a next window, which there is not always.
void forbid_end_before(std::span<float> logits, std::span<const int> sampled, int timestamp_begin,
                       int index, int eot);

/// Makes every token of `sampled` less likely: positive logits are divided by `penalty`, negative
/// ones multiplied (Keskar et al. 2019; CTranslate2 RepetitionPenalty). A token counts once.
void apply_repetition_penalty(std::span<float> logits, std::span<const int> sampled, float penalty);

/// Masks every token that would complete a run of `size` tokens that `sampled` already contains
/// (CTranslate2 NoRepeatNgram). size = 0 does nothing.
void forbid_repeated_ngrams(std::span<float> logits, std::span<const int> sampled, int size);

/// The rules of one window in the order of the reference.
struct LogitRules {
  const GenerationConfig* generation = nullptr;
  std::vector<int> blank_tokens{};       // masked at the first position; empty = rule off
  std::vector<int> suppressed_tokens{};  // masked always; empty = rule off
  bool timestamps = true;                // apply_timestamp_rules
  std::optional<int> max_initial_timestamp_index = 50;  // times 0.02 s
  int speech_until_index = 0;                           // forbid_end_before; 0 = off
  float repetition_penalty = 1.0F;                      // 1 = off
  int no_repeat_ngram_size = 0;                         // 0 = off

  /// Changes logits [vocab_size] for the position that follows `sampled`.
  void apply(std::span<float> logits, std::span<const int> sampled) const;
};

}  // namespace whisper_s4y
