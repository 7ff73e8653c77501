#include "decoding/logit_rules.h"

#include <algorithm>
#include <cstddef>

#include "config/front_end.h"
#include "decoding/logit_math.h"

namespace whisper_s4y {
namespace {

// Masks the ids [begin, end), cut to the row.
void mask_range(std::span<float> logits, int begin, int end) {
  const int size = static_cast<int>(logits.size());
  begin = std::clamp(begin, 0, size);
  end = std::clamp(end, begin, size);
  std::fill(logits.begin() + begin, logits.begin() + end, kMaskedLogit);
}

}  // namespace

void suppress_blank(std::span<float> logits, std::span<const int> blank_tokens) {
  suppress_tokens(logits, blank_tokens);
}

void suppress_tokens(std::span<float> logits, std::span<const int> tokens) {
  for (const int token : tokens) logits[static_cast<size_t>(token)] = kMaskedLogit;
}

void apply_timestamp_rules(std::span<float> logits, std::span<const int> sampled,
                           const GenerationConfig& generation,
                           std::optional<int> max_initial_timestamp_index) {
  const int vocab_size = static_cast<int>(logits.size());
  const int timestamp_begin = generation.timestamp_begin();
  const auto is_timestamp = [&](int token) { return token >= timestamp_begin; };

  // <|notimestamps|> is the business of without_timestamps.
  logits[static_cast<size_t>(generation.no_timestamps_token_id)] = kMaskedLogit;
  // Fine-tuned checkpoints may have rows after <|30.00|>; they are no times.
  mask_range(logits, timestamp_begin + kTimestampTokens, vocab_size);

  const size_t count = sampled.size();
  const bool last_was_timestamp = count >= 1 && is_timestamp(sampled[count - 1]);
  const bool penultimate_was_timestamp = count < 2 || is_timestamp(sampled[count - 2]);
  if (last_was_timestamp) {
    if (penultimate_was_timestamp) {
      mask_range(logits, timestamp_begin, vocab_size);
    } else {
      mask_range(logits, 0, generation.eos_token_id);
    }
  }

  const auto latest = std::find_if(sampled.rbegin(), sampled.rend(), is_timestamp);
  if (latest != sampled.rend()) {
    // The second of a pair may repeat the first; any other timestamp must be later, or a segment
    // without length could be repeated for ever.
    const bool may_repeat = last_was_timestamp && !penultimate_was_timestamp;
    mask_range(logits, timestamp_begin, may_repeat ? *latest : *latest + 1);
  }

  if (sampled.empty()) {
    mask_range(logits, 0, timestamp_begin);
    if (max_initial_timestamp_index) {
      mask_range(logits, timestamp_begin + *max_initial_timestamp_index + 1, vocab_size);
    }
  }

  // The reference compares log-probabilities; their common normaliser cancels out.
  const auto text = logits.first(static_cast<size_t>(timestamp_begin));
  const auto timestamps = logits.subspan(static_cast<size_t>(timestamp_begin));
  if (log_sum_exp(timestamps) > max_logit(text)) mask_range(logits, 0, timestamp_begin);
}

void forbid_end_before(std::span<float> logits, std::span<const int> sampled, int timestamp_begin,
                       int index, int eot) {
  const size_t count = sampled.size();
  if (count < 2 || sampled[count - 1] < timestamp_begin || sampled[count - 2] < timestamp_begin) {
    return;
  }
  if (sampled[count - 1] < timestamp_begin + index) {
    logits[static_cast<size_t>(eot)] = kMaskedLogit;
  }
}

void apply_repetition_penalty(std::span<float> logits, std::span<const int> sampled,
                              float penalty) {
  for (size_t i = 0; i < sampled.size(); ++i) {
    const auto before = sampled.first(i);
    if (std::find(before.begin(), before.end(), sampled[i]) != before.end()) continue;
    float& logit = logits[static_cast<size_t>(sampled[i])];
    logit = logit < 0 ? logit * penalty : logit / penalty;
  }
}

void forbid_repeated_ngrams(std::span<float> logits, std::span<const int> sampled, int size) {
  const auto n = static_cast<size_t>(size);
  if (n == 0 || sampled.size() < n) return;
  const auto current = sampled.last(n - 1);
  for (size_t begin = 0; begin + n <= sampled.size(); ++begin) {
    const auto earlier = sampled.subspan(begin, n);
    if (std::equal(current.begin(), current.end(), earlier.begin())) {
      logits[static_cast<size_t>(earlier.back())] = kMaskedLogit;
    }
  }
}

void LogitRules::apply(std::span<float> logits, std::span<const int> sampled) const {
  if (repetition_penalty != 1.0F) apply_repetition_penalty(logits, sampled, repetition_penalty);
  forbid_repeated_ngrams(logits, sampled, no_repeat_ngram_size);
  if (sampled.empty()) suppress_blank(logits, blank_tokens);
  suppress_tokens(logits, suppressed_tokens);
  if (timestamps) {
    forbid_end_before(logits, sampled, generation->timestamp_begin(), speech_until_index,
                      generation->eos_token_id);
    apply_timestamp_rules(logits, sampled, *generation, max_initial_timestamp_index);
  }
}

}  // namespace whisper_s4y
