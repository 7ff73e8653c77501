#include "decoding/window_decoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <initializer_list>
#include <utility>
#include <vector>

#include "decoding/compression_ratio.h"
#include "toy_model.h"
#include "whisper_s4y/error.h"

namespace whisper_s4y {
namespace {

using namespace testing;  // the toy model
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// Position of <|startoftranscript|>.
size_t sot_of(const std::vector<int>& tokens) {
  return static_cast<size_t>(std::find(tokens.begin(), tokens.end(), kSot) - tokens.begin());
}

// Logits with which no other tokens can follow than these.
std::vector<float> among(std::initializer_list<std::pair<int, float>> tokens) {
  std::vector<float> logits(kVocabSize, kMaskedLogit);
  for (const auto& [token, logit] : tokens) logits[static_cast<size_t>(token)] = logit;
  return logits;
}

// Says `text` after the start tokens of `start_size` tokens from <|startoftranscript|> on.
LogitFunction says(std::vector<int> text, size_t start_size = 3) {
  return [=](const std::vector<int>& tokens) {
    const size_t begin = sot_of(tokens) + start_size;
    if (tokens.size() < begin) return surely(kNoSpeech, 0.0F);
    const size_t next = tokens.size() - begin;
    return surely(next < text.size() ? text[next] : kEot);
  };
}

DecodingResult decode(ModelInfo info, const DecodingOptions& options, const LogitFunction& logits,
                      int max_beams = 0) {
  ScriptedModel model(std::move(info), logits, max_beams);
  const Tokenizer tokenizer(model.info().vocabulary, model.info().generation);
  return decode_window(model, tokenizer, options);
}

std::string message_of(const DecodingOptions& options, ModelInfo info = toy_info(),
                       int max_beams = 0) {
  try {
    (void)decode(std::move(info), options, says({}), max_beams);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

DecodingOptions english() {
  DecodingOptions options;
  options.language = "en";
  return options;
}

TEST(DecodeWindow, GivesTokensTextAndStatistics) {
  const auto result = decode(toy_info(), english(), says({at(0), word('a'), word('b'), at(2.5)}));
  EXPECT_THAT(result.tokens, ElementsAre(at(0), word('a'), word('b'), at(2.5)));
  EXPECT_EQ(result.text, "a b");
  EXPECT_EQ(result.language, "en");
  EXPECT_THAT(result.language_probs, IsEmpty());
  EXPECT_EQ(result.temperature, 0.0F);
  EXPECT_FLOAT_EQ(result.compression_ratio, compression_ratio("a b"));
  EXPECT_NEAR(result.avg_logprob, 0.0F, 1e-4);
  EXPECT_NEAR(result.no_speech_prob, 1.0F / kVocabSize, 1e-6);
}

// The start tokens are what the model has been fed when the first token is sampled.
std::vector<int> start_tokens(const DecodingOptions& options, ModelInfo info = toy_info()) {
  std::vector<int> longest;
  ScriptedModel model(std::move(info), [&](const std::vector<int>& tokens) {
    longest = tokens;
    return surely(kEot);
  });
  DecodingOptions ends_at_once = options;
  ends_at_once.suppress_blank = false;
  ends_at_once.max_new_tokens = 1;
  const Tokenizer tokenizer(model.info().vocabulary, model.info().generation);
  (void)decode_window(model, tokenizer, ends_at_once);
  return longest;
}

TEST(StartTokens, LanguageAndTask) {
  DecodingOptions options = english();
  EXPECT_THAT(start_tokens(options), ElementsAre(kSot, kEnglish, kTranscribe));
  options.language = "de";
  options.task = "translate";
  EXPECT_THAT(start_tokens(options), ElementsAre(kSot, kGerman, kTranslate));
  options.without_timestamps = true;
  EXPECT_THAT(start_tokens(options), ElementsAre(kSot, kGerman, kTranslate, kNoTimestamps));
}

TEST(StartTokens, EnglishOnlyModelsKnowNeither) {
  EXPECT_THAT(start_tokens({}, toy_info(false)), ElementsAre(kSot));
  EXPECT_THAT(start_tokens(english(), toy_info(false)), ElementsAre(kSot));
}

TEST(StartTokens, PromptComesFirst) {
  DecodingOptions options = english();
  options.prompt = {word('x'), word('y')};
  EXPECT_THAT(start_tokens(options),
              ElementsAre(kSotPrev, word('x'), word('y'), kSot, kEnglish, kTranscribe));
}

TEST(StartTokens, TheLast223OfAPromptAreUsed) {
  DecodingOptions options = english();
  for (int i = 0; i < 300; ++i) options.prompt.push_back(i % 250);
  const auto tokens = start_tokens(options);
  ASSERT_EQ(tokens.size(), 1U + 223U + 3U);
  EXPECT_EQ(tokens[0], kSotPrev);
  EXPECT_EQ(tokens[1], (300 - 223) % 250);
  EXPECT_EQ(tokens[223], 299 % 250);
}

TEST(StartTokens, APrefixFollowsTheFirstTimestamp) {
  DecodingOptions options = english();
  options.prefix = {word('p')};
  EXPECT_THAT(start_tokens(options), ElementsAre(kSot, kEnglish, kTranscribe, at(0), word('p')));
  options.without_timestamps = true;
  EXPECT_THAT(start_tokens(options),
              ElementsAre(kSot, kEnglish, kTranscribe, kNoTimestamps, word('p')));
}

TEST(DecodeWindow, APrefixIsPartOfTheResult) {
  DecodingOptions options = english();
  options.prefix = {word('p')};
  const auto result = decode(toy_info(), options, says({at(0), word('p'), word('q'), at(1)}));
  EXPECT_THAT(result.tokens, ElementsAre(at(0), word('p'), word('q'), at(1)));
  EXPECT_EQ(result.text, "p q");
}

TEST(DecodeWindow, WithoutTimestampsThereAreNone) {
  DecodingOptions options = english();
  options.without_timestamps = true;
  const auto result = decode(toy_info(), options, says({word('a'), word('b')}, 4));
  EXPECT_THAT(result.tokens, ElementsAre(word('a'), word('b')));
}

TEST(DecodeWindow, MaxInitialTimestampLimitsTheFirst) {
  DecodingOptions options = english();
  const auto late = says({at(5), word('a'), at(8)});
  EXPECT_LE(decode(toy_info(), options, late).tokens.front(), at(1));
  options.max_initial_timestamp = 0.5F;
  EXPECT_LE(decode(toy_info(), options, late).tokens.front(), at(0.5));
  options.max_initial_timestamp = std::nullopt;
  EXPECT_EQ(decode(toy_info(), options, late).tokens.front(), at(5));
}

TEST(DecodeWindow, SuppressesNonSpeechAndSpecialTokens) {
  // "#" is a symbol nobody says; <|translate|> belongs to the start.
  const auto hash = says({at(0), '#', kTranslate, at(1)});
  DecodingOptions options = english();
  auto tokens = decode(toy_info(), options, hash).tokens;
  EXPECT_THAT(tokens, Not(Contains(static_cast<int>('#'))));
  EXPECT_THAT(tokens, Not(Contains(kTranslate)));

  options.suppress_tokens = {word('z')};  // a list of one's own: specials stay suppressed
  tokens = decode(toy_info(), options, hash).tokens;
  EXPECT_THAT(tokens, Contains(static_cast<int>('#')));
  EXPECT_THAT(tokens, Not(Contains(kTranslate)));

  options.suppress_tokens = {};  // rule off
  tokens = decode(toy_info(), options, hash).tokens;
  EXPECT_THAT(tokens, Contains(static_cast<int>('#')));
  EXPECT_THAT(tokens, Contains(kTranslate));
}

TEST(DecodeWindow, SuppressBlankForbidsAnEmptyWindow) {
  DecodingOptions options = english();
  options.without_timestamps = true;
  options.max_new_tokens = 3;
  EXPECT_THAT(decode(toy_info(), options, says({}, 4)).tokens, Not(IsEmpty()));
  options.suppress_blank = false;
  const auto result = decode(toy_info(), options, says({}, 4));
  EXPECT_THAT(result.tokens, IsEmpty());
  EXPECT_EQ(result.text, "");
  EXPECT_EQ(result.compression_ratio, 0.0F);
}

TEST(DecodeWindow, SampleLenAndMaxNewTokens) {
  DecodingOptions options = english();
  options.without_timestamps = true;
  options.loop_guard = false;
  const auto endless = says(std::vector<int>(1000, word('a')), 4);
  EXPECT_EQ(decode(toy_info(), options, endless).tokens.size(), 224U);
  options.sample_len = 7;
  EXPECT_EQ(decode(toy_info(), options, endless).tokens.size(), 7U);
  options.max_new_tokens = 5;
  EXPECT_EQ(decode(toy_info(), options, endless).tokens.size(), 5U);
  options.sample_len = std::nullopt;
  options.max_new_tokens = 1000;  // the context ends it: 444 fed after 4 start tokens, one behind
  EXPECT_EQ(decode(toy_info(), options, endless).tokens.size(), 445U);
}

TEST(DecodeWindow, TellsWhetherItCameToAnEnd) {
  DecodingOptions options = english();
  options.without_timestamps = true;
  options.sample_len = 3;
  EXPECT_FALSE(decode(toy_info(), options, says({word('a'), word('b')}, 4)).at_limit);
  EXPECT_TRUE(decode(toy_info(), options, says(std::vector<int>(9, word('a')), 4)).at_limit);
}

TEST(DecodeWindow, RepetitionOptionsReachTheRules) {
  DecodingOptions options = english();
  options.without_timestamps = true;
  options.max_new_tokens = 12;
  options.no_repeat_ngram_size = 2;
  const auto stuck = says(std::vector<int>(100, word('a')), 4);
  const auto tokens = decode(toy_info(), options, stuck).tokens;
  int pairs = 0;
  for (size_t i = 1; i < tokens.size(); ++i) {
    pairs += tokens[i - 1] == word('a') && tokens[i] == word('a') ? 1 : 0;
  }
  EXPECT_EQ(pairs, 1);

  options.no_repeat_ngram_size = 0;
  const LogitFunction prefers_a = [](const std::vector<int>& tokens) {
    auto logits = surely(word('a'), 3.0F);
    logits[static_cast<size_t>(tokens.size() < 6 ? word('b') : kEot)] = 2.0F;
    return logits;
  };
  EXPECT_THAT(decode(toy_info(), options, prefers_a).tokens, Each(word('a')));
  options.repetition_penalty = 2.0F;
  EXPECT_THAT(decode(toy_info(), options, prefers_a).tokens, ElementsAre(word('a'), word('b')));
}

TEST(DecodeWindow, ALoopIsStoppedAndCut) {
  // " b a a a a ..." without end.
  const LogitFunction stuck = [](const std::vector<int>& tokens) {
    return surely(tokens.size() == 4 ? word('b') : word('a'));
  };
  ScriptedModel model(toy_info(), stuck);
  const Tokenizer tokenizer(model.info().vocabulary, model.info().generation);
  DecodingOptions options = english();
  options.without_timestamps = true;
  const DecodingResult result = decode_window(model, tokenizer, options);
  EXPECT_TRUE(result.looped);
  EXPECT_THAT(result.tokens, ElementsAre(word('b'), word('a')));
  EXPECT_EQ(result.token_logprobs.size(), 2U);
  EXPECT_EQ(result.text, "b a");
  EXPECT_GT(result.compression_ratio, 2.4F);  // of the loop
  EXPECT_LT(model.decode_calls, 50);

  options.loop_guard = false;
  const DecodingResult whole = decode(toy_info(), options, stuck);
  EXPECT_FALSE(whole.looped);
  EXPECT_EQ(whole.tokens.size(), 224U);
}

TEST(DecodeWindow, AmongSamplesThoseThatLoopComeLast) {
  // " a" for ever, whose tokens are all but certain, or an unlikely " b". The first call is for the
  // start of the transcript alone.
  const LogitFunction script = [](const std::vector<int>& tokens) {
    if (tokens.size() <= 4) return among({{word('a'), 3.0F}, {word('b'), 0.0F}});
    return among({{tokens[4] == word('a') ? word('a') : kEot, 0.0F}});
  };
  DecodingOptions options = english();
  options.without_timestamps = true;
  options.temperature = 1.0F;
  options.best_of = 32;
  for (const int max_beams : {0, 5}) {
    const DecodingResult result = decode(toy_info(), options, script, max_beams);
    EXPECT_THAT(result.tokens, ElementsAre(word('b'))) << max_beams;
    EXPECT_FALSE(result.looped);
  }
}

TEST(DecodeWindow, NoBeamEscapesFromALoopByAToken) {
  // " a" for ever, now and then a less likely " b".
  const LogitFunction script = [](const auto&) {
    return among({{word('a'), 5.0F}, {word('b'), 0.0F}});
  };
  DecodingOptions options = english();
  options.without_timestamps = true;
  options.beam_size = 5;
  const DecodingResult result = decode(toy_info(), options, script, 5);
  EXPECT_TRUE(result.looped);
  EXPECT_THAT(result.tokens, ElementsAre(word('a')));
}

TEST(DecodeWindow, ABeamThatLoopsIsLeft) {
  // " a" for ever or " b" and the end, which is less likely.
  const LogitFunction script = [](const std::vector<int>& tokens) {
    if (tokens.back() == word('b')) return among({{kEot, 0.0F}});
    return among({{word('a'), 5.0F}, {word('b'), 0.0F}});
  };
  DecodingOptions options = english();
  options.without_timestamps = true;
  options.beam_size = 2;
  options.patience = 100.0F;  // wait for more finished beams than there will be
  const DecodingResult result = decode(toy_info(), options, script, 2);
  EXPECT_FALSE(result.looped);
  EXPECT_LE(result.tokens.size(), 40U);
  EXPECT_EQ(result.tokens.back(), word('b'));

  const LogitFunction stuck = [](const auto&) { return surely(word('a')); };
  options.patience.reset();
  const DecodingResult alone = decode(toy_info(), options, stuck, 2);
  EXPECT_EQ(alone.text.substr(0, 1), "a");
}

TEST(DecodeWindow, NoSpeechProbabilityIsTakenUnfiltered) {
  const LogitFunction silence = [](const std::vector<int>& tokens) {
    if (tokens.back() == kSot) return surely(kNoSpeech);
    return surely(tokens.size() < sot_of(tokens) + 4 ? at(0) : kEot);
  };
  DecodingOptions options = english();
  EXPECT_NEAR(decode(toy_info(), options, silence).no_speech_prob, 1.0F, 1e-3);
  options.prompt = {word('a')};
  EXPECT_NEAR(decode(toy_info(), options, silence).no_speech_prob, 1.0F, 1e-3);
}

TEST(DetectLanguage, IsASoftmaxOverLanguages) {
  ScriptedModel model(toy_info(), [](const std::vector<int>& tokens) {
    EXPECT_THAT(tokens, ElementsAre(kSot));
    auto logits = surely(word('a'));  // not a language: does not count
    logits[kEnglish] = 1.0F;
    logits[kGerman] = 2.0F;
    logits[kFrench] = 0.0F;
    return logits;
  });
  const auto probs = detect_language(model);
  const float sum = std::exp(1.0F) + std::exp(2.0F) + 1.0F;
  ASSERT_EQ(probs.size(), 3U);
  EXPECT_EQ(probs[0].first, "en");
  EXPECT_NEAR(probs[0].second, std::exp(1.0F) / sum, 1e-5);
  EXPECT_NEAR(probs[1].second, std::exp(2.0F) / sum, 1e-5);
  EXPECT_EQ(most_likely(probs).first, "de");
}

TEST(DetectLanguage, NeedsAMultilingualModel) {
  ScriptedModel model(toy_info(false), [](const auto&) { return surely(kEot); });
  EXPECT_THROW((void)detect_language(model), Error);
}

TEST(DecodeWindow, DetectsTheLanguageWhenNoneIsGiven) {
  const LogitFunction german = [](const std::vector<int>& tokens) {
    if (tokens.back() == kSot) return surely(kGerman);
    EXPECT_TRUE(tokens.size() < 2 || tokens[1] == kGerman);
    return surely(tokens.size() == 3 ? at(0) : tokens.size() == 4 ? word('a') : kEot);
  };
  const auto result = decode(toy_info(), {}, german);
  EXPECT_EQ(result.language, "de");
  EXPECT_EQ(result.language_probs.size(), 3U);
}

TEST(DecodeWindow, SamplesAreRankedByMeanLogprob) {
  // " a" is followed by certain tokens, " b" by a long lottery.
  const LogitFunction lottery = [](const std::vector<int>& tokens) {
    if (tokens.size() < 4) return surely(kEot);
    std::vector<float> logits(kVocabSize, kMaskedLogit);
    if (tokens.size() == 4) {
      logits[static_cast<size_t>(word('a'))] = logits[static_cast<size_t>(word('b'))] = 0.0F;
    } else if (tokens[4] == word('a') || tokens.size() > 8) {
      logits[kEot] = 0.0F;
    } else {
      for (char letter = 'b'; letter <= 'z'; ++letter) {
        logits[static_cast<size_t>(word(letter))] = 0.0F;
      }
    }
    return logits;
  };
  DecodingOptions options = english();
  options.without_timestamps = true;
  options.temperature = 1.0F;
  options.best_of = 16;
  for (const int max_beams : {0, 5}) {
    const auto result = decode(toy_info(), options, lottery, max_beams);
    EXPECT_THAT(result.tokens, ElementsAre(word('a'))) << max_beams;
    EXPECT_NEAR(result.avg_logprob, std::log(0.5F) / 2, 1e-4);
    EXPECT_EQ(result.temperature, 1.0F);
  }
}

TEST(DecodeWindow, TheLengthPenaltyRanksBeams) {
  // " a" is less likely than " b" and ends at once; six tokens follow " b", each nearly certain.
  const LogitFunction script = [](const std::vector<int>& tokens) {
    const auto logit = [](double probability) { return static_cast<float>(std::log(probability)); };
    if (tokens.size() <= 4) {  // of the prompt
      return among({{word('a'), logit(0.4)}, {word('b'), logit(0.6)}});
    }
    if (tokens[4] == word('a') || tokens.size() == 11) return among({{kEot, 0.0F}});
    return among({{word('c'), logit(0.85)}, {word('d'), logit(0.15)}});
  };
  DecodingOptions options = english();
  options.without_timestamps = true;
  options.beam_size = 2;
  EXPECT_EQ(decode(toy_info(), options, script, 2).tokens.size(), 7U);  // the better mean
  options.length_penalty = 0.0F;
  EXPECT_THAT(decode(toy_info(), options, script, 2).tokens, ElementsAre(word('a')));
}

TEST(DecodeWindow, BeamSearchGoesThroughTheBatch) {
  ScriptedModel model(toy_info(), says({at(0), word('a'), at(1)}), 5);
  const Tokenizer tokenizer(model.info().vocabulary, model.info().generation);
  DecodingOptions options = english();
  options.beam_size = 3;
  const auto result = decode_window(model, tokenizer, options);
  EXPECT_THAT(result.tokens, ElementsAre(at(0), word('a'), at(1)));
  EXPECT_GT(model.beam_calls, 0);
}

TEST(DecodeWindow, OneBeamIsGreedy) {
  DecodingOptions options = english();
  options.beam_size = 1;
  const auto result = decode(toy_info(), options, says({at(0), word('a'), at(1)}), 0);
  EXPECT_THAT(result.tokens, ElementsAre(at(0), word('a'), at(1)));
}

TEST(WindowDecoder, FeedsStartTokensOnceForAllTemperatures) {
  ScriptedModel model(toy_info(), says({at(0), word('a'), at(1)}), 5);
  const Tokenizer tokenizer(model.info().vocabulary, model.info().generation);
  WindowDecoder decoder(model, tokenizer);
  decoder.encode(std::vector<float>(3000));
  EXPECT_EQ(decoder.language_probs().size(), 3U);
  DecodingOptions options = english();
  (void)decoder.decode(options);
  const int calls = model.decode_calls;
  options.temperature = 0.4F;
  options.best_of = 3;
  const auto result = decoder.decode(options);
  EXPECT_EQ(model.decode_calls, calls);  // only decode_beams was called
  EXPECT_THAT(result.tokens, ElementsAre(at(0), word('a'), at(1)));
  // 1 for <|startoftranscript|>, 1 for language and task, 3 for the text
  EXPECT_EQ(calls, 5);
}

TEST(WindowDecoder, ANewWindowForgetsTheLanguage) {
  int window = 0;
  ScriptedModel model(toy_info(), [&](const std::vector<int>& tokens) {
    if (tokens.back() == kSot) return surely(window == 0 ? kGerman : kFrench);
    return surely(kEot);
  });
  const Tokenizer tokenizer(model.info().vocabulary, model.info().generation);
  WindowDecoder decoder(model, tokenizer);
  decoder.encode(std::vector<float>(3000));
  EXPECT_EQ(most_likely(decoder.language_probs()).first, "de");
  window = 1;
  EXPECT_EQ(most_likely(decoder.language_probs()).first, "de");
  decoder.encode(std::vector<float>(3000));
  EXPECT_EQ(most_likely(decoder.language_probs()).first, "fr");
}

TEST(DecodingOptions, ContradictionsAreErrors) {
  const auto with = [](auto change) {
    DecodingOptions options = english();
    change(options);
    return message_of(options);
  };
  EXPECT_EQ(with([](auto&) {}), "");
  EXPECT_THAT(with([](auto& o) { o.language = "xx"; }), HasSubstr("\"xx\""));
  EXPECT_THAT(with([](auto& o) { o.best_of = 5; }), HasSubstr("best_of"));
  EXPECT_THAT(with([](auto& o) { o.beam_size = 5; }), HasSubstr("without the signature step_beam"));
  DecodingOptions beams = english();
  beams.beam_size = 5;
  EXPECT_THAT(message_of(beams, toy_info(), 3), HasSubstr("can follow 3 beams at once, not 5"));
  EXPECT_THAT(with([](auto& o) { o.suppress_tokens = {kVocabSize}; }), HasSubstr("suppress"));
  EXPECT_THAT(with([](auto& o) { o.suppress_tokens = {-2}; }), HasSubstr("suppress"));
  EXPECT_THAT(with([](auto& o) { o.prompt = {-1}; }), HasSubstr("prompt"));
}

TEST(DecodingOptions, EnglishOnlyModelsAreEnglishOnly) {
  DecodingOptions options;
  options.language = "de";
  EXPECT_THAT(message_of(options, toy_info(false)), HasSubstr("English-only"));
  options.language = "en";
  EXPECT_EQ(message_of(options, toy_info(false)), "");
  options.task = "translate";
  EXPECT_THAT(message_of(options, toy_info(false)), HasSubstr("translate"));
}

TEST(CompressionRatio, IsHighForRepetitions) {
  EXPECT_EQ(compression_ratio(""), 0.0F);
  EXPECT_LT(compression_ratio("And so my fellow Americans, ask not"), 1.0F);
  std::string loop;
  for (int i = 0; i < 30; ++i) loop += "thank you ";
  EXPECT_GT(compression_ratio(loop), 2.4F);
  EXPECT_NEAR(compression_ratio(std::string(1000, 'a')), 1000.0F / 17.0F, 1e-3);  // Python's zlib
}

}  // namespace
}  // namespace whisper_s4y
