#include "decoding/window_decoder.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include "common/fail.h"
#include "config/front_end.h"
#include "decoding/compression_ratio.h"
#include "decoding/logit_math.h"
#include "decoding/loop_guard.h"
#include "decoding/text.h"
#include "options/option_error.h"

namespace whisper_s4y {
namespace {

constexpr auto kTimestampStep = static_cast<float>(kTimePrecision);  // seconds

// What of the options depends on the model; the numbers were checked by whoever made them.
void check(const DecodingOptions& options, DecoderModel& model) {
  const ModelInfo& info = model.info();
  const GenerationConfig& generation = info.generation;
  if (!generation.is_multilingual) {
    if (options.task == "translate") {
      fail_unsupported(
          "task", "{} is an English-only model and cannot translate; use a multilingual model.",
          info.name);
    }
    if (options.language && *options.language != "en") {
      fail_unsupported("language",
                       "{} is an English-only model and cannot transcribe language \"{}\".",
                       info.name, *options.language);
    }
  } else if (options.language && generation.language_token(*options.language) < 0) {
    fail_unsupported("language", "{} does not know the language \"{}\".", info.name,
                     *options.language);
  }
  if (!options.without_timestamps && generation.no_timestamps_token_id < 0) {
    fail(ErrorCode::unsupported, "{} has no timestamp tokens; decode it without timestamps.",
         info.name);
  }
  if (options.beam_size && options.best_of) {
    fail(ErrorCode::invalid_argument, "beam_size and best_of cannot be given together.");
  }
  if (options.temperature == 0 && options.best_of) {
    fail(ErrorCode::invalid_argument,
         "best_of needs a temperature above 0: at 0 all samples are the same.");
  }
  const auto in_vocabulary = [&](const char* name, const std::vector<int>& tokens, int lowest) {
    for (const int token : tokens) {
      if (token < lowest || token >= info.config.vocab_size) {
        fail(ErrorCode::invalid_argument, "{}: the token {} is not one of the {} of {}.", name,
             token, info.config.vocab_size, info.name);
      }
    }
  };
  in_vocabulary("prompt", options.prompt, 0);
  in_vocabulary("prefix", options.prefix, 0);
  in_vocabulary("suppress_tokens", options.suppress_tokens, -1);
}

// How many tokens to sample.
int sample_len(const DecodingOptions& options, const ModelConfig& config) {
  const int most = std::numeric_limits<int>::max();
  const int half = config.max_target_positions / 2;
  return std::min(options.sample_len.value_or(options.max_new_tokens ? most : half),
                  options.max_new_tokens.value_or(most));
}

struct StartTokens {
  std::vector<int> tokens;
  size_t sot_index = 0;     // of <|startoftranscript|>
  std::vector<int> prefix;  // the last of `tokens`, which belong to the window's text
};

// decoding.py: DecodingTask._get_initial_tokens; the prefix as in faster-whisper, which begins it
// with <|0.00|> and keeps it in the result.
StartTokens start_tokens(const DecodingOptions& options, const std::string& language,
                         const ModelInfo& info) {
  const GenerationConfig& generation = info.generation;
  const size_t half = static_cast<size_t>(info.config.max_target_positions) / 2;
  StartTokens start;
  if (!options.prompt.empty()) {
    const size_t used = std::min(options.prompt.size(), half - 1);
    start.tokens.push_back(generation.prev_sot_token_id);
    start.tokens.insert(start.tokens.end(), options.prompt.end() - static_cast<ptrdiff_t>(used),
                        options.prompt.end());
  }
  start.sot_index = start.tokens.size();
  const auto sequence = sot_sequence(generation, language, options.task);
  start.tokens.insert(start.tokens.end(), sequence.begin(), sequence.end());
  if (options.without_timestamps) start.tokens.push_back(generation.no_timestamps_token_id);

  if (!options.prefix.empty()) {
    if (!options.without_timestamps) start.prefix.push_back(generation.timestamp_begin());
    const size_t used = std::min(options.prefix.size(), half - 1);
    start.prefix.insert(start.prefix.end(), options.prefix.begin(),
                        options.prefix.begin() + static_cast<ptrdiff_t>(used));
    start.tokens.insert(start.tokens.end(), start.prefix.begin(), start.prefix.end());
  }
  if (start.tokens.size() > static_cast<size_t>(info.config.max_target_positions)) {
    fail(ErrorCode::invalid_argument,
         "Prompt and prefix make {} tokens, but the decoder of {} has {} positions.",
         start.tokens.size(), info.name, info.config.max_target_positions);
  }
  return start;
}

// decoding.py: DecodingTask._get_suppress_tokens.
std::vector<int> suppressed_tokens(const DecodingOptions& options, const Tokenizer& tokenizer,
                                   const GenerationConfig& generation) {
  std::vector<int> result;
  if (options.suppress_tokens.empty()) return result;
  for (const int token : options.suppress_tokens) {
    if (token >= 0) {
      result.push_back(token);
    } else {
      const auto& non_speech = tokenizer.non_speech_tokens();
      result.insert(result.end(), non_speech.begin(), non_speech.end());
    }
  }
  for (const int token : {generation.transcribe_token_id, generation.translate_token_id,
                          generation.decoder_start_token_id, generation.prev_sot_token_id,
                          generation.sot_lm_token_id, generation.no_speech_token_id}) {
    if (token >= 0) result.push_back(token);
  }
  std::sort(result.begin(), result.end());
  result.erase(std::unique(result.begin(), result.end()), result.end());
  return result;
}

LogitRules rules_of(const DecodingOptions& options, const Tokenizer& tokenizer,
                    const GenerationConfig& generation) {
  LogitRules rules;
  rules.generation = &generation;
  if (options.suppress_blank) {
    rules.blank_tokens = tokenizer.encode(" ");
    rules.blank_tokens.push_back(generation.eos_token_id);
  }
  rules.suppressed_tokens = suppressed_tokens(options, tokenizer, generation);
  rules.timestamps = !options.without_timestamps;
  rules.max_initial_timestamp_index = std::nullopt;
  // The reference takes 0 for "no limit" as well (a truth test).
  if (options.max_initial_timestamp && *options.max_initial_timestamp > 0) {
    rules.max_initial_timestamp_index =
        static_cast<int>(std::nearbyint(*options.max_initial_timestamp / kTimestampStep));
  }
  rules.speech_until_index = static_cast<int>(options.speech_until / kTimestampStep);
  rules.repetition_penalty = options.repetition_penalty;
  rules.no_repeat_ngram_size = options.no_repeat_ngram_size;
  return rules;
}

// From the logits that follow <|startoftranscript|> alone.
LanguageProbs language_probs_of(std::span<const float> logits, const ModelInfo& info) {
  if (!info.generation.is_multilingual) {
    fail(ErrorCode::unsupported, "{} is an English-only model and cannot detect languages.",
         info.name);
  }
  std::vector<float> scores;
  for (const auto& [code, token] : info.generation.lang_to_id) {
    scores.push_back(logits[static_cast<size_t>(token)]);
  }
  const float normaliser = log_sum_exp(scores);
  LanguageProbs probs;
  for (size_t i = 0; i < scores.size(); ++i) {
    probs.emplace_back(info.generation.lang_to_id[i].first, std::exp(scores[i] - normaliser));
  }
  return probs;
}

}  // namespace

std::vector<int> sot_sequence(const GenerationConfig& generation, std::string_view language,
                              std::string_view task) {
  std::vector<int> tokens = {generation.decoder_start_token_id};
  if (generation.is_multilingual) {
    tokens.push_back(generation.language_token(language));
    tokens.push_back(task == "translate" ? generation.translate_token_id
                                         : generation.transcribe_token_id);
  }
  return tokens;
}

LanguageProbs detect_language(DecoderModel& model) {
  const int sot = model.info().generation.decoder_start_token_id;
  return language_probs_of(model.decode({&sot, 1}, 0), model.info());
}

const std::pair<std::string, float>& most_likely(const LanguageProbs& probs) {
  return *std::max_element(probs.begin(), probs.end(), [](const auto& left, const auto& right) {
    return left.second < right.second;
  });
}

DecodingResult decode_window(DecoderModel& model, const Tokenizer& tokenizer,
                             const DecodingOptions& options) {
  return WindowDecoder(model, tokenizer).decode(options);
}

void WindowDecoder::encode(std::span<const float> input_features,
                           const std::optional<WindowPositions>& positions) {
  if (positions) {
    model_.encode_sampled(input_features, *positions);
  } else {
    model_.encode(input_features);
  }
  language_probs_.clear();
  fed_.clear();
}

const LanguageProbs& WindowDecoder::language_probs() {
  if (language_probs_.empty()) {
    feed({model_.info().generation.decoder_start_token_id}, 0);
    language_probs_ = language_probs_of(start_.logits, model_.info());
  }
  return language_probs_;
}

void WindowDecoder::feed(const std::vector<int>& tokens, size_t sot_index) {
  if (tokens == fed_) return;
  // What both rows begin with stays; the last token is fed again for its logits.
  const auto differs = std::mismatch(tokens.begin(), tokens.end() - 1, fed_.begin(), fed_.end());
  auto begin = static_cast<size_t>(differs.first - tokens.begin());
  fed_.clear();  // until all went well

  const std::span<const int> all(tokens);
  std::span<const float> logits;
  const auto feed_until = [&](size_t end) {
    if (begin < end) {
      logits = model_.decode(all.subspan(begin, end - begin), static_cast<int>(begin));
    }
    begin = std::max(begin, end);
  };
  if (begin <= sot_index) {
    feed_until(sot_index + 1);
    const int no_speech = model_.info().generation.no_speech_token_id;
    no_speech_prob_ =
        no_speech >= 0 ? softmax_at(logits, no_speech) : std::numeric_limits<float>::quiet_NaN();
  }
  feed_until(tokens.size());
  start_.logits.assign(logits.begin(), logits.end());
  start_.position = static_cast<int>(tokens.size());
  fed_ = tokens;
}

DecodingResult WindowDecoder::decode(const DecodingOptions& options) {
  check(options, model_);
  const ModelInfo& info = model_.info();
  const GenerationConfig& generation = info.generation;

  DecodingResult result;
  result.temperature = options.temperature;
  if (options.language) {
    result.language = *options.language;
  } else if (generation.is_multilingual) {
    result.language_probs = language_probs();
    result.language = most_likely(result.language_probs).first;
  } else {
    result.language = "en";
  }

  const StartTokens start = start_tokens(options, result.language, info);
  feed(start.tokens, start.sot_index);
  start_.prefix = start.prefix;
  result.no_speech_prob = no_speech_prob_;

  const LogitRules rules = rules_of(options, tokenizer_, generation);
  SearchLimits limits{.max_tokens = sample_len(options, info.config),
                      .max_length = info.config.max_target_positions,
                      .eot = generation.eos_token_id};
  if (options.loop_guard) limits.loop_guard = generation.timestamp_begin();
  OnToken on_token;
  if (options.on_timestamp) {
    on_token = [&](int token) {
      const int index = token - generation.timestamp_begin();
      if (index >= 0) options.on_timestamp(static_cast<float>(index) * kTimestampStep);
    };
  }
  std::vector<Hypothesis> hypotheses;
  if (options.temperature > 0) {
    Random random(options.seed);
    hypotheses = sample(model_, start_, rules, limits, options.temperature,
                        options.best_of.value_or(1), random, on_token);
  } else if (const int beam_size = options.beam_size.value_or(1);
             beam_size > 1 || options.patience) {
    if (model_.max_beams() == 0) {
      fail(ErrorCode::unsupported,
           "{} was converted without the signature step_beam, which beam search needs; decode "
           "without beam_size, or convert it again.",
           info.name);
    }
    if (beam_size > model_.max_beams()) {
      fail(
          ErrorCode::invalid_argument,
          "{} can follow {} beams at once, not {}; choose a smaller beam_size or convert the model "
          "with more beams.",
          info.name, model_.max_beams(), beam_size);
    }
    hypotheses = beam_search(model_, start_, rules, limits, beam_size,
                             options.patience.value_or(1.0F), on_token);
  } else {
    hypotheses.push_back(greedy_search(model_, start_, rules, limits, on_token));
  }

  Hypothesis& best =
      hypotheses[best_hypothesis(hypotheses, start.prefix.size(), options.length_penalty)];
  const size_t sampled = best.tokens.size() - start.prefix.size();
  result.avg_logprob = best.sum_logprob / static_cast<float>(sampled + 1);
  result.text = stripped(tokenizer_.decode(best.tokens));
  result.compression_ratio = compression_ratio(result.text);
  result.looped = best.looped;
  result.at_limit = is_at_limit(start_, limits, best);
  if (result.looped) {
    const size_t kept =
        std::max(*loop_end(best.tokens, generation.timestamp_begin()), start.prefix.size());
    best.tokens.resize(kept);
    best.logprobs.resize(kept - start.prefix.size());
    result.text = stripped(tokenizer_.decode(best.tokens));
  }
  result.tokens = std::move(best.tokens);
  result.token_logprobs.assign(start.prefix.size(), 0.0F);
  result.token_logprobs.insert(result.token_logprobs.end(), best.logprobs.begin(),
                               best.logprobs.end());
  return result;
}

}  // namespace whisper_s4y
