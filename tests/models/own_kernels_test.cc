// Encoding and decoding by our own kernels against LiteRT running the signatures, on random
// checkpoints in every number format.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "common/cancellation.h"
#include "config/front_end.h"
#include "models/random_checkpoint.h"
#include "models/recipe_search.h"
#include "models/write_bundle.h"
#include "runtime/whisper_model.h"
#include "support/errors.h"
#include "support/files.h"

namespace whisper_s4y::testing {
namespace {

using ::testing::HasSubstr;
using Floats = std::vector<float>;

struct Case {
  std::string name;
  WeightRecipe recipe;
  Compatibility compatibility = Compatibility::litert;
  // Root of the mean squared difference from LiteRT, as part of the numbers'. LiteRT rounds
  // activations to 8 bits where weights are integers, we do to some 14.
  double tolerance = 0;
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

std::vector<Case> cases() {
  using enum Compatibility;
  return {
      {"Float32", recipe_of_name("none"), litert, 1e-5},
      {"Fp16", recipe_of_name("fp16"), litert, 2e-3},
      {"Int8", recipe_of_name("int8"), litert, 0.04},
      {"Int8For2_14", recipe_of_name("int8"), tflite_2_14, 0.04},
      {"Int4", recipe_of_name("int4"), litert, 0.05},
      {"Int8WithHalves",
       {.encoder = WeightFormat::i8,
        .decoder = WeightFormat::i8,
        .embedding = WeightFormat::i8,
        .embedding_fp16_tokens = 8},
       litert,
       0.04},
      {"Mixed", mixed_recipe(random_checkpoint(small_config(64, 4, 2))), litert, 0.05},
  };
}

double relative_difference(std::span<const float> a, std::span<const float> b) {
  double difference = 0;
  double square = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    difference += std::pow(a[i] - b[i], 2);
    square += std::pow(b[i], 2);
  }
  return std::sqrt(difference / square);
}

Floats copy_of(std::span<const float> numbers) { return {numbers.begin(), numbers.end()}; }

class OwnKernels : public ::testing::TestWithParam<Case> {
 protected:
  OwnKernels() {
    ModelConfig config = small_config(64, 4, 2);
    Checkpoint checkpoint = random_checkpoint(config);
    checkpoint.info.generation.alignment_heads = {{1, 2}, {0, 3}};
    BundleOptions options;
    options.recipe = GetParam().recipe;
    options.compatibility = GetParam().compatibility;
    write_bundle(checkpoint, file_, options);
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    for (float& number : logmel_) number = normal(random);
    ours_ = open(true);
    litert_ = open(false);
    for (const auto& model : {ours_, litert_}) model->encode(logmel_);
  }

  [[nodiscard]] std::shared_ptr<WhisperModel> open(bool own_kernels) const {
    RuntimeOptions options{.threads = 2, .use_cache = false, .own_kernels = own_kernels};
    options.on_warning = [](const std::string& message) { ADD_FAILURE() << message; };
    return std::make_shared<WhisperModel>(file_, options);
  }

  void expect_same(std::span<const float> ours, std::span<const float> litert) const {
    ASSERT_EQ(ours.size(), litert.size());
    EXPECT_LT(relative_difference(ours, litert), GetParam().tolerance);
  }

  Floats logmel_ = Floats(80 * 3000);
  TemporaryFolder folder_;
  std::filesystem::path file_ = folder_ / "model.tflite";
  std::shared_ptr<WhisperModel> ours_;
  std::shared_ptr<WhisperModel> litert_;
};

TEST_P(OwnKernels, MakeTheSpectrogram) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  Floats audio(kWindowSamples);
  for (float& number : audio) number = 0.1F * normal(random);
  Floats ours(logmel_.size());
  Floats litert(logmel_.size());
  ours_->features(audio, ours);
  litert_->features(audio, litert);
  for (size_t i = 0; i < ours.size(); ++i) ASSERT_NEAR(ours[i], litert[i], 2e-5) << i;
}

TEST_P(OwnKernels, HearTheWindow) {
  expect_same(ours_->last_hidden_state(), litert_->last_hidden_state());
}

TEST_P(OwnKernels, HearTheNextWindowAndTheFirstAgain) {
  const Floats hidden = copy_of(ours_->last_hidden_state());
  const Floats logits = copy_of(ours_->decode(std::vector{21}, 0));
  Floats other = logmel_;
  for (float& number : other) number = 1 - number;
  ours_->encode(other);
  EXPECT_GT(relative_difference(ours_->last_hidden_state(), hidden), 0.1);
  ours_->encode(logmel_);
  EXPECT_EQ(copy_of(ours_->last_hidden_state()), hidden);
  EXPECT_EQ(copy_of(ours_->decode(std::vector{21}, 0)), logits);
}

TEST_P(OwnKernels, StopWhenTheCallerHasHadEnough) {
  const Floats hidden = copy_of(ours_->last_hidden_state());
  int asked = 0;
  Cancellation cancellation([&] { return ++asked > 0; });
  ours_->set_cancellation(&cancellation);
  EXPECT_THROW(ours_->encode(logmel_), Cancelled);
  EXPECT_GT(asked, 0);
  ours_->set_cancellation(nullptr);
  EXPECT_THAT(message_of([&] { (void)ours_->decode(std::vector{21}, 0); }),
              HasSubstr("encode() has not been called"));
  ours_->encode(logmel_);
  EXPECT_EQ(copy_of(ours_->last_hidden_state()), hidden);
}

TEST_P(OwnKernels, FeedTokensOneByOneAndManyAtOnce) {
  std::vector<int> tokens(150);
  for (size_t i = 0; i < tokens.size(); ++i) tokens[i] = static_cast<int>(i * 7 % 20);
  for (const auto& [position, count] :
       {std::pair(0, 1), {1, 1}, {2, 3}, {0, 12}, {12, 70}, {40, 1}, {41, 100}, {300 - 159, 1}}) {
    SCOPED_TRACE(position);
    const std::span<const int> part(tokens.data(), static_cast<size_t>(count));
    expect_same(ours_->decode(part, position), litert_->decode(part, position));
  }
  const std::vector<int> last(447 - 142, 3);
  expect_same(ours_->decode(last, 142), litert_->decode(last, 142));
  expect_same(ours_->decode(std::vector{5}, 447), litert_->decode(std::vector{5}, 447));
}

TEST_P(OwnKernels, AdvanceHypotheses) {
  const std::vector<int> prompt = {21, 22, 25, 29, 3};
  for (const auto& model : {ours_, litert_}) {
    (void)model->decode(prompt, 0);
    model->start_beams(5);
  }
  const std::vector<std::vector<int>> tokens = {{1, 2, 3, 4, 5}, {6, 7, 8}, {9, 10, 11, 12, 13}};
  const std::vector<std::vector<int>> parents = {{0, 0, 0, 0, 0}, {4, 0, 0}, {2, 2, 0, 1, 1}};
  for (size_t i = 0; i < tokens.size(); ++i) {
    SCOPED_TRACE(i);
    const int position = 5 + static_cast<int>(i);
    const Floats ours = copy_of(ours_->decode_beams(tokens[i], parents[i], position));
    expect_same(ours, litert_->decode_beams(tokens[i], parents[i], position));
  }
  // What decode() left is still there.
  expect_same(ours_->decode(std::vector{7}, 5), litert_->decode(std::vector{7}, 5));
  ours_->start_beams(3);
  litert_->start_beams(3);
  expect_same(ours_->decode_beams(std::vector{1, 2}, std::vector{0, 3}, 3),
              litert_->decode_beams(std::vector{1, 2}, std::vector{0, 3}, 3));
}

TEST_P(OwnKernels, SayWhereTokensWereHeard) {
  std::vector<int> tokens(100);
  for (size_t i = 0; i < tokens.size(); ++i) tokens[i] = static_cast<int>(i * 3 % 20);
  tokens[50] = 31;  // a timestamp
  const AlignmentScores ours = ours_->align(tokens);
  const AlignmentScores litert = litert_->align(tokens);
  ASSERT_EQ(ours.heads, 2);
  ASSERT_GE(ours.rows, 100);
  for (int head = 0; head < 2; ++head) {
    for (const int token : {0, 1, 7, 8, 63, 64, 99}) {
      SCOPED_TRACE(token);
      expect_same(ours.row(head, token), litert.row(head, token));
    }
  }
  for (const size_t i : {0U, 20U, 48U, 50U, 98U}) {
    EXPECT_NEAR(ours.next_token_probs[i], litert.next_token_probs[i],
                0.02 + litert.next_token_probs[i] * GetParam().tolerance);
  }
}

TEST_P(OwnKernels, HearSampledPositionsAsTheWholeWindow) {
  constexpr int kFrames = 301;
  for (size_t i = 0; i < logmel_.size(); ++i) {
    if (i % 3000 >= kFrames) logmel_[i] = 0;
  }
  const std::vector<int> tokens = {21, 22, 25, 29, 3};
  ours_->encode(logmel_);
  const Floats hidden = copy_of(ours_->last_hidden_state());
  const Floats logits = copy_of(ours_->decode(tokens, 0));
  const Floats scores = copy_of(ours_->align(tokens).row(1, 4));

  // All of them, in two parts.
  WindowPositions positions;
  positions.contiguous = (kFrames + 3) / 2;
  for (size_t i = positions.contiguous; i < 1500; ++i) positions.sampled.push_back(i);
  positions.multiplicities.assign(1500, 1.0F);
  ours_->encode_sampled(logmel_, positions);
  EXPECT_EQ(copy_of(ours_->last_hidden_state()), hidden);
  EXPECT_EQ(copy_of(ours_->decode(tokens, 0)), logits);

  positions = *sampled_positions(kFrames, 1.0);
  ours_->encode_sampled(logmel_, positions);
  const Floats few = copy_of(ours_->last_hidden_state());
  const size_t same = positions.contiguous * 64;
  ASSERT_EQ(few.size(), positions.size() * 64);
  EXPECT_LT(relative_difference(std::span(few).first(same), std::span(hidden).first(same)), 0.1);
  EXPECT_LT(relative_difference(ours_->decode(tokens, 0), logits), 0.1);
  const AlignmentScores alignment = ours_->align(tokens);
  const std::span<const float> row = alignment.row(1, 4);
  ASSERT_EQ(row.size(), 1500U);
  EXPECT_LT(relative_difference(row.first(positions.contiguous),
                                std::span(scores).first(positions.contiguous)),
            0.1);
  EXPECT_LT(row[positions.contiguous], -1e30F);  // nobody looks there

  ours_->encode(logmel_);
  EXPECT_EQ(copy_of(ours_->last_hidden_state()), hidden);
  EXPECT_EQ(copy_of(ours_->decode(tokens, 0)), logits);
}

TEST_P(OwnKernels, AloneSamplePositions) {
  EXPECT_TRUE(ours_->can_sample());
  EXPECT_FALSE(litert_->can_sample());
  EXPECT_THAT(message_of([&] { litert_->encode_sampled(logmel_, *sampled_positions(300, 1.0)); }),
              HasSubstr("can encode whole windows only"));
}

TEST_P(OwnKernels, RefuseWhatCannotBe) {
  EXPECT_THAT(message_of([&] { (void)ours_->decode(std::vector{1}, 1); }),
              HasSubstr("Cannot decode at position 1: only 0 positions were fed."));
  EXPECT_THAT(message_of([&] { (void)ours_->decode_beams(std::vector{1}, std::vector{0}, 0); }),
              HasSubstr("start_beams() has not been called"));
  EXPECT_THAT(message_of([&] { ours_->start_beams(1); }),
              HasSubstr("Hypotheses cannot start at position 1: 0 positions were fed."));
  (void)ours_->decode(std::vector{21, 22}, 0);
  ours_->start_beams(2);
  EXPECT_THAT(message_of([&] { (void)ours_->decode_beams(std::vector{1}, std::vector{5}, 2); }),
              HasSubstr("There is no hypothesis 5 of 5."));
  (void)ours_->decode_beams(std::vector{1, 2}, std::vector{0, 0}, 2);
  EXPECT_THAT(message_of([&] { (void)ours_->decode_beams(std::vector{1}, std::vector{2}, 3); }),
              HasSubstr("Hypothesis 2 has 0 positions, not 3."));
}

INSTANTIATE_TEST_SUITE_P(All, OwnKernels, ::testing::ValuesIn(cases()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace whisper_s4y::testing
