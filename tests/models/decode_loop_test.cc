// The greedy loop in the graph against ours over `step`, on random checkpoints: every prompt and
// every limit must give the same tokens.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <random>

#include "decoding/window_decoder.h"
#include "models/random_checkpoint.h"
#include "models/runner.h"
#include "models/write_bundle.h"
#include "runtime/whisper_model.h"
#include "support/files.h"

namespace whisper_s4y::testing {
namespace {

using ::testing::ElementsAreArray;

class DecodeLoop : public ::testing::TestWithParam<unsigned> {
 protected:
  DecodeLoop() : checkpoint_(random_checkpoint(small_config(16, 2, 2), GetParam())) {
    BundleOptions options;
    options.defaults = {.language_token = 23, .translate = true, .max_length = 77};
    const auto file = folder_ / "model.tflite";
    write_bundle(checkpoint_, file, options);
    model_ = std::make_unique<WhisperModel>(file, RuntimeOptions{.threads = 1, .use_cache = false});
    runner_ = std::make_unique<Runner>(
        file, std::vector<std::string>{"encode", "decode", "serving_default"});
    tokenizer_ = std::make_unique<Tokenizer>(model_->info().vocabulary, model_->info().generation);
    decoder_ = std::make_unique<WindowDecoder>(*model_, *tokenizer_);
    std::mt19937 random(GetParam());
    std::normal_distribution<float> normal;
    mel_.resize(80 * 3000);
    for (float& number : mel_) number = normal(random);
    decoder_->encode(mel_);
    hidden_ = runner_->run("encode", {{"input_features", mel_}}).numbers("last_hidden_state");
  }

  [[nodiscard]] Integers in_graph(const std::vector<int>& prompt, int max_length) {
    Integers padded(kPromptCapacity, 0);
    std::copy(prompt.begin(), prompt.end(), padded.begin());
    return runner_
        ->run("decode", {{"encoder_hidden_states", hidden_},
                         {"prompt_tokens", padded},
                         {"prompt_length", Integers{static_cast<int>(prompt.size())}},
                         {"max_length", Integers{max_length}}})
        .integers("tokens");
  }

  /// The row of our loop, padded to the length of the one in the graph.
  [[nodiscard]] std::vector<int> outside(DecodingOptions options, std::vector<int> prompt,
                                         int max_length) {
    options.suppress_tokens = checkpoint_.info.generation.suppress_tokens;
    options.loop_guard = false;  // the loop in the graph has none
    options.sample_len = max_length - static_cast<int>(prompt.size());
    const DecodingResult result = decoder_->decode(options);
    prompt.insert(prompt.end(), result.tokens.begin(), result.tokens.end());
    prompt.resize(448, checkpoint_.info.generation.eos_token_id);
    return prompt;
  }

  /// Start tokens of these options.
  [[nodiscard]] std::vector<int> prompt_of(const DecodingOptions& options) const {
    std::vector<int> prompt;
    if (!options.prompt.empty()) {
      prompt.push_back(27);
      prompt.insert(prompt.end(), options.prompt.begin(), options.prompt.end());
    }
    const auto sequence =
        sot_sequence(checkpoint_.info.generation, *options.language, options.task);
    prompt.insert(prompt.end(), sequence.begin(), sequence.end());
    if (options.without_timestamps) prompt.push_back(29);
    return prompt;
  }

  TemporaryFolder folder_;
  Checkpoint checkpoint_;
  std::unique_ptr<WhisperModel> model_;
  std::unique_ptr<Runner> runner_;
  std::unique_ptr<Tokenizer> tokenizer_;
  std::unique_ptr<WindowDecoder> decoder_;
  Numbers mel_;
  Numbers hidden_;
};

TEST_P(DecodeLoop, EveryLanguageTaskAndKindOfTimestamps) {
  for (const char* language : {"en", "de"}) {
    for (const char* task : {"transcribe", "translate"}) {
      for (const bool without_timestamps : {false, true}) {
        DecodingOptions options;
        options.language = language;
        options.task = task;
        options.without_timestamps = without_timestamps;
        const auto prompt = prompt_of(options);
        EXPECT_THAT(in_graph(prompt, 448), ElementsAreArray(outside(options, prompt, 448)));
      }
    }
  }
}

TEST_P(DecodeLoop, PreviousText) {
  for (const int previous : {1, 27, 28, 29, 60, 223}) {
    for (const bool without_timestamps : {false, true}) {
      SCOPED_TRACE(previous);
      DecodingOptions options;
      options.language = "en";
      options.without_timestamps = without_timestamps;
      for (int i = 0; i < previous; ++i) options.prompt.push_back(i * i % 20);
      const auto prompt = prompt_of(options);
      EXPECT_THAT(in_graph(prompt, 448), ElementsAreArray(outside(options, prompt, 448)));
    }
  }
}

TEST_P(DecodeLoop, EveryLimit) {
  DecodingOptions options;
  options.language = "de";
  const auto prompt = prompt_of(options);
  const Integers longest = in_graph(prompt, 448);
  ASSERT_NE(longest[100], 20);  // long enough to be cut
  for (const int limit : {4, 5, 31, 32, 33, 64, 65, 447}) {
    SCOPED_TRACE(limit);
    Integers expected(longest.begin(), longest.begin() + limit);
    expected.resize(448, 20);
    EXPECT_THAT(in_graph(prompt, limit), ElementsAreArray(expected));
  }
  // Past the table of positions there is nothing; below the prompt's length only the prompt.
  EXPECT_EQ(in_graph(prompt, 449), longest);
  EXPECT_EQ(in_graph(prompt, 1 << 30), longest);
  for (const int limit : {-5, 0, 1}) {
    Integers expected{prompt[0]};
    expected.resize(448, 20);
    EXPECT_EQ(in_graph(prompt, limit), expected);
  }
}

TEST_P(DecodeLoop, LanguageIsDetectedWhereThePromptHasNone) {
  const auto& [language, probability] = most_likely(decoder_->language_probs());
  DecodingOptions options;
  options.language = language;
  const auto prompt = prompt_of(options);
  std::vector<int> open = prompt;
  open[1] = -1;
  EXPECT_EQ(in_graph(open, 60), in_graph(prompt, 60));
}

TEST_P(DecodeLoop, ServingDefaultHasItsPromptInside) {
  const Outputs outputs = runner_->run("serving_default", {{"input_features", mel_}});
  EXPECT_EQ(outputs.integers("tokens"), in_graph({21, 23, 24, 29}, 77));
}

TEST_P(DecodeLoop, PartsHaveTheirPromptInside) {
  const std::vector<std::pair<PromptDefaults, std::vector<int>>> prompts{
      {{.language_token = 22, .timestamps = true}, {21, 22, 25}},
      {{.language_token = -1, .max_length = 9}, {21, -1, 25, 29}},
      {{.language_token = 23, .translate = true, .timestamps = true, .max_length = 40},
       {21, 23, 24}}};
  for (const auto& [defaults, prompt] : prompts) {
    BundleOptions options;
    options.defaults = defaults;
    const auto run = [&](Part part, const Inputs& inputs) {
      const auto file = folder_ / name_of(part);
      write_part(checkpoint_, part, file, options);
      return Runner(file).run("serving_default", inputs);
    };
    const Integers expected = in_graph(prompt, defaults.max_length);
    const Outputs encoded = run(Part::encoder, {{"input_features", mel_}});
    EXPECT_EQ(run(Part::decoder, {{"encoder_hidden_states", encoded.numbers("last_hidden_state")}})
                  .integers("tokens"),
              expected);
    EXPECT_EQ(run(Part::encoder_decoder, {{"input_features", mel_}}).integers("tokens"), expected);
    EXPECT_EQ(run(Part::generator, {{"input_features", mel_}}).integers("sequences"), expected);
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, DecodeLoop, ::testing::Values(2U, 3U));

}  // namespace
}  // namespace whisper_s4y::testing
