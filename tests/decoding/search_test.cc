#include "decoding/search.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "decoding/logit_math.h"
#include "scripted_model.h"

namespace whisper_s4y {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::LogitFunction;
using testing::ScriptedModel;

// Six tokens: 0..3 text, 4 = <|endoftext|>, 5 = the start token.
constexpr int kEot = 4;
constexpr int kStart = 5;
constexpr size_t kVocab = 6;

ModelInfo small_info() {
  ModelInfo info;
  info.name = "scripted";
  info.config.vocab_size = kVocab;
  info.config.max_target_positions = 12;
  return info;
}

std::vector<float> log_of(std::vector<float> probabilities) {
  for (float& value : probabilities) value = value > 0 ? std::log(value) : kMaskedLogit;
  return probabilities;
}

// Says `text` after the start tokens and ends.
LogitFunction says(std::vector<int> text) {
  return [text](const std::vector<int>& tokens) {
    std::vector<float> logits(kVocab, 0.0F);
    const size_t next = tokens.size() - 1;
    logits[static_cast<size_t>(next < text.size() ? text[next] : kEot)] = 5.0F;
    return logits;
  };
}

// Some fixed logits for every row of tokens.
std::vector<float> hashed(const std::vector<int>& tokens) {
  uint32_t state = 2166136261U;
  for (const int token : tokens) state = (state ^ static_cast<uint32_t>(token + 1)) * 16777619U;
  std::vector<float> logits(kVocab);
  for (float& logit : logits) {
    state = state * 1664525U + 1013904223U;
    logit = static_cast<float>(state >> 8U) / 16777216.0F * 4.0F;
  }
  logits[kStart] = kMaskedLogit;
  return logits;
}

const GenerationConfig kGeneration;

LogitRules no_rules() { return {.generation = &kGeneration, .timestamps = false}; }

SearchStart start_of(ScriptedModel& model) {
  const auto logits = model.decode(std::vector<int>{kStart}, 0);
  return {.logits = {logits.begin(), logits.end()}, .position = 1, .prefix = {}};
}

constexpr SearchLimits kLimits{.max_tokens = 8, .max_length = 12, .eot = kEot};

TEST(Greedy, TakesTheMostLikelyTokensUntilTheEnd) {
  ScriptedModel model(small_info(), says({0, 3, 3, 1}));
  const auto start = start_of(model);
  const Hypothesis result = greedy_search(model, start, no_rules(), kLimits);
  EXPECT_THAT(result.tokens, ElementsAre(0, 3, 3, 1));
  const float each = 5.0F - std::log(std::exp(5.0F) + 5.0F);
  EXPECT_NEAR(result.sum_logprob, 5 * each, 1e-5);  // <|endoftext|> counts
  EXPECT_EQ(model.decode_calls, 1 + 4);
}

TEST(Greedy, StopsAfterMaxTokens) {
  ScriptedModel model(small_info(), says({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}));
  const auto start = start_of(model);
  const Hypothesis result = greedy_search(model, start, no_rules(), kLimits);
  EXPECT_EQ(result.tokens.size(), 8U);
  EXPECT_EQ(model.decode_calls, 1 + 7);  // the last token is not fed
}

TEST(Greedy, NeverFeedsPastTheContext) {
  ScriptedModel model(small_info(),
                      [](const auto&) { return std::vector<float>{1, 0, 0, 0, -9, 0}; });
  const auto start = start_of(model);
  const Hypothesis result =
      greedy_search(model, start, no_rules(), {.max_tokens = 100, .max_length = 12, .eot = kEot});
  // 1 start token and 11 fed ones fill the context; the 12th stands behind it.
  EXPECT_EQ(result.tokens.size(), 12U);
}

TEST(Greedy, AppliesTheRules) {
  ScriptedModel model(small_info(), says({0, 1}));
  const auto start = start_of(model);
  LogitRules rules = no_rules();
  rules.suppressed_tokens = {0};
  const Hypothesis result = greedy_search(model, start, rules, kLimits);
  EXPECT_NE(result.tokens.front(), 0);
}

TEST(Greedy, KeepsThePrefix) {
  ScriptedModel model(small_info(), says({2, 2, 1}));
  const auto logits = model.decode(std::vector<int>{kStart, 2, 2}, 0);
  const SearchStart start{{logits.begin(), logits.end()}, 3, {2, 2}};
  const Hypothesis result = greedy_search(model, start, no_rules(), kLimits);
  EXPECT_THAT(result.tokens, ElementsAre(2, 2, 1));
  const float each = 5.0F - std::log(std::exp(5.0F) + 5.0F);
  EXPECT_NEAR(result.sum_logprob, 2 * each, 1e-5);
}

class Sampling : public ::testing::TestWithParam<int> {};  // max_beams

TEST_P(Sampling, FollowsTheDistribution) {
  const auto first = log_of({0.5F, 0.2F, 0, 0, 0.3F, 0});
  ScriptedModel model(
      small_info(),
      [&](const std::vector<int>& tokens) {
        return tokens.size() == 1 ? first : log_of({0, 0, 0, 0, 1, 0});
      },
      GetParam());
  const auto start = start_of(model);
  Random random(17);
  std::map<std::vector<int>, int> seen;
  for (const auto& result : sample(model, start, no_rules(), kLimits, 1.0F, 4000, random)) {
    ++seen[result.tokens];
    const float expected = result.tokens.empty()        ? std::log(0.3F)
                           : result.tokens.front() == 0 ? std::log(0.5F)
                                                        : std::log(0.2F);
    EXPECT_NEAR(result.sum_logprob, expected, 1e-5);
  }
  EXPECT_EQ(seen.size(), 3U);
  EXPECT_NEAR(seen[{0}] / 4000.0, 0.5, 0.03);
  EXPECT_NEAR(seen[{1}] / 4000.0, 0.2, 0.03);
  EXPECT_NEAR(seen[{}] / 4000.0, 0.3, 0.03);
}

TEST_P(Sampling, TemperatureFlattens) {
  const auto first = log_of({0.8F, 0.2F, 0, 0, 0, 0});
  ScriptedModel model(
      small_info(),
      [&](const std::vector<int>& tokens) {
        return tokens.size() == 1 ? first : log_of({0, 0, 0, 0, 1, 0});
      },
      GetParam());
  const auto start = start_of(model);
  Random random(3);
  int second = 0;
  for (const auto& result : sample(model, start, no_rules(), kLimits, 2.0F, 4000, random)) {
    second += result.tokens.front() == 1 ? 1 : 0;
  }
  EXPECT_NEAR(second / 4000.0, std::sqrt(0.2) / (std::sqrt(0.2) + std::sqrt(0.8)), 0.03);
}

TEST_P(Sampling, SamplesOfDifferentLengthDoNotMix) {
  // Token n is followed by n more copies of itself: lengths differ, rows leave the batch.
  ScriptedModel model(
      small_info(),
      [&](const std::vector<int>& tokens) {
        if (tokens.size() == 1) return log_of({0.25F, 0.25F, 0.25F, 0.25F, 0, 0});
        std::vector<float> logits(kVocab, kMaskedLogit);
        const int token = tokens[1];
        for (size_t i = 1; i < tokens.size(); ++i) EXPECT_EQ(tokens[i], token);
        logits[static_cast<size_t>(static_cast<int>(tokens.size()) - 2 < token ? token : kEot)] = 0;
        return logits;
      },
      GetParam());
  const auto start = start_of(model);
  Random random(5);
  const auto results = sample(model, start, no_rules(), kLimits, 1.0F, 9, random);
  ASSERT_EQ(results.size(), 9U);
  for (const auto& result : results) {
    EXPECT_EQ(result.tokens.size(), static_cast<size_t>(result.tokens.front()) + 1);
  }
}

TEST_P(Sampling, IsRepeatable) {
  ScriptedModel model(small_info(), hashed, GetParam());
  const auto start = start_of(model);
  Random first(1);
  Random second(1);
  Random third(2);
  const auto a = sample(model, start, no_rules(), kLimits, 1.0F, 6, first);
  const auto b = sample(model, start, no_rules(), kLimits, 1.0F, 6, second);
  const auto c = sample(model, start, no_rules(), kLimits, 1.0F, 6, third);
  bool differs = false;
  for (size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].tokens, b[i].tokens);
    differs = differs || a[i].tokens != c[i].tokens;
  }
  EXPECT_TRUE(differs);
}

INSTANTIATE_TEST_SUITE_P(OneByOneAndBatched, Sampling, ::testing::Values(0, 1, 4, 5));

TEST(BeamSearch, FindsWhatGreedyMisses) {
  // "0" is likelier than "1" at first, but what follows "1" is certain.
  const LogitFunction garden_path = [](const std::vector<int>& tokens) {
    if (tokens.size() == 1) return log_of({0.6F, 0.4F, 0, 0, 0, 0});
    if (tokens.size() == 2 && tokens[1] == 0) return log_of({0.25F, 0.25F, 0.25F, 0.25F, 0, 0});
    if (tokens.size() == 2) return log_of({0, 0, 1, 0, 0, 0});
    return log_of({0, 0, 0, 0, 1, 0});
  };
  ScriptedModel model(small_info(), garden_path, 2);
  const auto start = start_of(model);
  EXPECT_EQ(greedy_search(model, start, no_rules(), kLimits).tokens.front(), 0);
  const auto beams = beam_search(model, start, no_rules(), kLimits, 2, 1.0F);
  EXPECT_THAT(beams[best_hypothesis(beams, 0, std::nullopt)].tokens, ElementsAre(1, 2));
}

// All sequences of at most `depth` tokens with their log-probs.
void enumerate(std::vector<int>& tokens, float sum, size_t depth, std::vector<Hypothesis>& all) {
  const auto logits = hashed(tokens);
  const float normaliser = log_sum_exp(logits);
  const std::vector<int> text(tokens.begin() + 1, tokens.end());
  all.push_back({text, sum + logits[kEot] - normaliser});
  if (text.size() == depth) return;
  for (int token = 0; token < kEot; ++token) {
    tokens.push_back(token);
    enumerate(tokens, sum + logits[static_cast<size_t>(token)] - normaliser, depth, all);
    tokens.pop_back();
  }
}

TEST(BeamSearch, WideEnoughItIsExhaustive) {
  ScriptedModel model(small_info(), hashed, 64);
  const auto start = start_of(model);
  const SearchLimits limits{.max_tokens = 4, .max_length = 12, .eot = kEot};
  // 64 beams hold every row of three tokens; patience keeps the search from stopping early.
  const auto beams = beam_search(model, start, no_rules(), limits, 64, 10.0F);
  std::vector<int> tokens = {kStart};
  std::vector<Hypothesis> all;
  enumerate(tokens, 0.0F, 3, all);
  const auto best_finished = std::max_element(
      all.begin(), all.end(), [](auto& a, auto& b) { return a.sum_logprob < b.sum_logprob; });
  const auto best_found = std::max_element(
      beams.begin(), beams.end(), [](auto& a, auto& b) { return a.sum_logprob < b.sum_logprob; });
  EXPECT_EQ(best_found->tokens, best_finished->tokens);
  EXPECT_NEAR(best_found->sum_logprob, best_finished->sum_logprob, 1e-4);
  size_t checked = 0;
  for (const auto& found : beams) {
    for (const auto& one : all) {
      if (one.tokens != found.tokens || one.tokens.size() > 3) continue;
      EXPECT_NEAR(one.sum_logprob, found.sum_logprob, 1e-4);
      ++checked;
    }
  }
  EXPECT_GE(checked, 1U + 4U + 16U);  // of the rows of three, those above the 64th beam
}

// A direct restatement of decoding.py: BeamSearchDecoder, sequences as map keys.
std::vector<Hypothesis> reference_beams(int beam_size, float patience, int max_tokens) {
  const auto wanted = static_cast<size_t>(std::nearbyint(beam_size * patience));
  std::vector<Hypothesis> beams(static_cast<size_t>(beam_size));
  std::vector<Hypothesis> finished;
  for (int step = 0; step < max_tokens; ++step) {
    std::vector<Hypothesis> scores;
    for (const auto& beam : beams) {
      std::vector<int> fed = {kStart};
      fed.insert(fed.end(), beam.tokens.begin(), beam.tokens.end());
      const auto logits = hashed(fed);
      std::vector<int> order = {0, 1, 2, 3, 4, 5};
      std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
        return logits[static_cast<size_t>(a)] > logits[static_cast<size_t>(b)];
      });
      for (int i = 0; i < std::min(beam_size + 1, 5); ++i) {
        Hypothesis next = beam;
        next.tokens.push_back(order[static_cast<size_t>(i)]);
        next.sum_logprob +=
            logits[static_cast<size_t>(order[static_cast<size_t>(i)])] - log_sum_exp(logits);
        const auto same = std::find_if(scores.begin(), scores.end(),
                                       [&](auto& one) { return one.tokens == next.tokens; });
        if (same == scores.end()) scores.push_back(next);
      }
    }
    std::stable_sort(scores.begin(), scores.end(),
                     [](const auto& a, const auto& b) { return a.sum_logprob > b.sum_logprob; });
    std::vector<Hypothesis> next;
    for (auto& one : scores) {
      if (one.tokens.back() == kEot) {
        one.tokens.pop_back();
        if (finished.size() < wanted) finished.push_back(one);
      } else {
        next.push_back(one);
        if (next.size() == static_cast<size_t>(beam_size)) break;
      }
    }
    beams = next;
    if (finished.size() >= wanted) break;
  }
  for (const auto& beam : beams) {
    if (finished.size() >= static_cast<size_t>(beam_size)) break;
    finished.push_back(beam);
  }
  return finished;
}

TEST(BeamSearch, AgreesWithARestatementOfTheReference) {
  for (const int beam_size : {1, 2, 3, 5}) {
    for (const float patience : {0.5F, 1.0F, 1.5F, 2.0F}) {
      if (beam_size * patience < 1) continue;
      ScriptedModel model(small_info(), hashed, 5);
      const auto start = start_of(model);
      const auto found = beam_search(model, start, no_rules(), kLimits, beam_size, patience);
      const auto expected = reference_beams(beam_size, patience, kLimits.max_tokens);
      ASSERT_EQ(found.size(), expected.size()) << beam_size << " " << patience;
      for (size_t i = 0; i < found.size(); ++i) {
        EXPECT_EQ(found[i].tokens, expected[i].tokens) << beam_size << " " << patience;
        EXPECT_NEAR(found[i].sum_logprob, expected[i].sum_logprob, 1e-4);
      }
    }
  }
}

TEST(BeamSearch, UnfinishedBeamsFillTheList) {
  ScriptedModel model(
      small_info(),
      [](const auto&) {
        return log_of({0.5F, 0.3F, 0.2F, 0, 0, 0});
      },
      3);
  const auto start = start_of(model);
  const auto beams = beam_search(model, start, no_rules(), kLimits, 3, 1.0F);
  ASSERT_EQ(beams.size(), 3U);
  EXPECT_EQ(beams[0].tokens, std::vector<int>(8, 0));
  EXPECT_GT(beams[0].sum_logprob, beams[1].sum_logprob);
}

TEST(Ranking, LengthPenaltyChangesTheWinner) {
  const std::vector<Hypothesis> hypotheses = {{{1}, -1.0F}, {{1, 1, 1, 1}, -3.0F}};
  EXPECT_EQ(best_hypothesis(hypotheses, 0, std::nullopt), 1U);  // -1 against -0.75
  EXPECT_EQ(best_hypothesis(hypotheses, 0, 0.0F), 0U);          // -1 against -3
  EXPECT_EQ(best_hypothesis(hypotheses, 0, 1.0F), 0U);          // -1 against -2
  EXPECT_EQ(best_hypothesis(std::vector<Hypothesis>{{{}, -1.0F}}, 0, std::nullopt), 0U);
}

}  // namespace
}  // namespace whisper_s4y
