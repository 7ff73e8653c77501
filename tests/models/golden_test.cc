// Genuine tiny.en and base against tokens of Hugging Face's Whisper, through both decoding loops:
// ours over the signatures features, encode, prefill, step, and the one inside the file (decode).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "checkpoint/checkpoint.h"
#include "config/front_end.h"
#include "decoding/window_decoder.h"
#include "formats/open_checkpoint.h"
#include "models/runner.h"
#include "models/write_bundle.h"
#include "runtime/whisper_model.h"
#include "support/files.h"
#include "whisper_s4y/audio.h"

namespace whisper_s4y::testing {
namespace {

using ::testing::ElementsAreArray;
using ::testing::FloatNear;
using ::testing::Pointwise;

constexpr const char* kRecordings[] = {"harvard-16k.wav", "OSR_us_000_0030_16k.wav", "jfk.flac",
                                       "1-1.wav", "al-fatiha.wav"};
// Where the two likeliest tokens of the reference with timestamps lie closer, rounding may decide.
constexpr double kSureMargin = 0.01;

struct Case {
  const char* name;
  const char* checkpoint;
  const char* goldens;
  WeightFormat format;
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

class Golden : public ::testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    const auto path = genuine_checkpoint(std::string(GetParam().checkpoint) + "/hf");
    if (path.empty()) GTEST_SKIP() << "needs WHISPER_S4Y_CHECKPOINTS";
    if (!std::filesystem::exists(shared_dir() / "goldens")) {
      GTEST_SKIP() << "no goldens beside the checkout";
    }
    checkpoint_ = open_checkpoint(path);
    const WeightFormat format = GetParam().format;
    BundleOptions options;
    options.recipe = {.encoder = format, .decoder = format, .embedding = format, .exceptions = {}};
    write_bundle(*checkpoint_, folder_ / "model.tflite", options);
    const auto file = folder_ / "model.tflite";
    runner_ =
        std::make_unique<Runner>(file, std::vector<std::string>{"features", "encode", "decode"});
    // Float16 weights are unpacked to the same numbers, so one loop suffices for them.
    if (format == WeightFormat::f32) {
      model_ =
          std::make_unique<WhisperModel>(file, RuntimeOptions{.threads = 2, .use_cache = false});
      tokenizer_ =
          std::make_unique<Tokenizer>(model_->info().vocabulary, model_->info().generation);
      decoder_ = std::make_unique<WindowDecoder>(*model_, *tokenizer_);
    }
  }

  /// Encodes the first 30 s of a recording for both loops.
  void listen(const std::string& recording) {
    Numbers audio = load_audio(shared_dir() / "speech" / recording);
    audio.resize(kWindowSamples, 0.0F);
    const Outputs features = runner_->run("features", {{"normalized_audio", audio}});
    const Numbers& logmel = features.numbers("logmel");
    if (decoder_ != nullptr) {
      Numbers ours(logmel.size());
      model_->features(audio, ours);
      EXPECT_THAT(ours, Pointwise(FloatNear(1e-4F), logmel));
      decoder_->encode(ours);
    }
    hidden_ = runner_->run("encode", {{"input_features", logmel}}).numbers("last_hidden_state");
    const auto stem = std::filesystem::path(recording).stem().string();
    std::ifstream file(shared_dir() / "goldens" / GetParam().goldens / (stem + ".json"));
    golden_ = nlohmann::json::parse(file);
  }

  /// The row of the loop in the graph, up to and with <|endoftext|>.
  std::vector<int> decode_in_graph(const std::vector<int>& prompt, int max_length) {
    Integers padded(kPromptCapacity, 0);
    std::copy(prompt.begin(), prompt.end(), padded.begin());
    const Outputs outputs =
        runner_->run("decode", {{"encoder_hidden_states", hidden_},
                                {"prompt_tokens", padded},
                                {"prompt_length", Integers{static_cast<int>(prompt.size())}},
                                {"max_length", Integers{max_length}}});
    const Integers& row = outputs.integers("tokens");
    const auto limit = row.begin() + max_length;
    const int end_token = checkpoint_->info.generation.eos_token_id;
    const auto end =
        std::find(row.begin() + static_cast<ptrdiff_t>(prompt.size()), limit, end_token);
    EXPECT_TRUE(std::all_of(end, row.end(), [&](int token) { return token == end_token; }));
    return {row.begin(), end == limit ? end : end + 1};
  }

  /// The same row from our loop; `start` are the tokens before the first sampled one.
  std::vector<int> decode_outside(const DecodingOptions& options, std::vector<int> start,
                                  size_t max_length) {
    const DecodingResult result = decoder_->decode(options);
    start.insert(start.end(), result.tokens.begin(), result.tokens.end());
    if (start.size() < max_length) start.push_back(checkpoint_->info.generation.eos_token_id);
    return start;
  }

  /// Start tokens of language and task, without what timestamps need.
  [[nodiscard]] std::vector<int> start_of(const std::string& language,
                                          const std::string& task) const {
    return sot_sequence(checkpoint_->info.generation, language, task);
  }

  /// Language to ask for: an English-only model has one.
  [[nodiscard]] std::string language() const {
    return checkpoint_->info.generation.is_multilingual ? golden_.at("lang").get<std::string>()
                                                        : "en";
  }

  /// Both loops must give the reference's tokens.
  void expect_both(const nlohmann::json& golden, const DecodingOptions& options,
                   const std::string& task) {
    const auto expected = golden.get<std::vector<int>>();
    const GenerationConfig& generation = checkpoint_->info.generation;
    std::vector<int> prompt = start_of(*options.language, task);
    if (options.without_timestamps) prompt.push_back(generation.no_timestamps_token_id);
    const auto length = static_cast<int>(expected.size());
    DecodingOptions limited = options;
    limited.loop_guard = false;  // neither the loop in the graph nor the reference has one
    limited.sample_len = length - static_cast<int>(prompt.size());
    if (decoder_ != nullptr) {
      EXPECT_THAT(decode_outside(limited, prompt, expected.size()), ElementsAreArray(expected));
    }
    EXPECT_THAT(decode_in_graph(prompt, length), ElementsAreArray(expected));
  }

  /// Language detection: [["<|ar|>", probability], ...].
  void expect_language(const nlohmann::json& top) {
    const GenerationConfig& generation = checkpoint_->info.generation;
    const auto name = top.at(0).at(0).get<std::string>();
    const std::string code = name.substr(2, name.size() - 4);
    const auto row =
        decode_in_graph({generation.decoder_start_token_id, -1, generation.transcribe_token_id,
                         generation.no_timestamps_token_id},
                        5);
    EXPECT_EQ(row[1], generation.language_token(code));
    if (decoder_ == nullptr) return;
    const auto& [language, probability] = most_likely(decoder_->language_probs());
    EXPECT_EQ(language, code);
    EXPECT_NEAR(probability, top.at(0).at(1).get<double>(), 1e-3);
  }

  TemporaryFolder folder_;
  std::unique_ptr<Checkpoint> checkpoint_;
  std::unique_ptr<WhisperModel> model_;
  std::unique_ptr<Tokenizer> tokenizer_;
  std::unique_ptr<WindowDecoder> decoder_;  // none where the loop in the graph suffices
  std::unique_ptr<Runner> runner_;
  Numbers hidden_;
  nlohmann::json golden_;
};

TEST_P(Golden, GreedyTokens) {
  for (const char* recording : kRecordings) {
    SCOPED_TRACE(recording);
    listen(recording);
    if (golden_.contains("lang_detect")) expect_language(golden_.at("lang_detect").at("top"));
    DecodingOptions options;
    options.language = language();
    options.without_timestamps = true;
    expect_both(golden_.at("tokens"), options, "transcribe");
    if (golden_.contains("tokens_translate")) {
      options.task = "translate";
      expect_both(golden_.at("tokens_translate"), options, "translate");
    }
    if (golden_.at("ts_margin_min").get<double>() > kSureMargin) {
      options.task = "transcribe";
      options.without_timestamps = false;
      expect_both(golden_.at("tokens_ts_numpy_rules_on_TF"), options, "transcribe");
    }
  }
}

class GoldenPrompt : public Golden {};

TEST_P(GoldenPrompt, PreviousTextMeansTheSameInBothLoops) {
  listen("harvard-16k.wav");
  const GenerationConfig& generation = checkpoint_->info.generation;
  std::vector<int> text;
  for (const int token : golden_.at("tokens").get<std::vector<int>>()) {
    if (token < generation.eos_token_id) text.push_back(token);
  }
  for (const bool without_timestamps : {false, true}) {
    DecodingOptions options;
    options.language = "en";
    options.loop_guard = false;  // the graph has none
    options.without_timestamps = without_timestamps;
    for (size_t i = 0; i < 223; ++i) options.prompt.push_back(text[i % text.size()]);
    std::vector<int> prompt{generation.prev_sot_token_id};
    prompt.insert(prompt.end(), options.prompt.begin(), options.prompt.end());
    for (const int token : start_of("en", "transcribe")) prompt.push_back(token);
    if (without_timestamps) prompt.push_back(generation.no_timestamps_token_id);
    options.sample_len = 448 - static_cast<int>(prompt.size());
    EXPECT_THAT(decode_in_graph(prompt, 448),
                ElementsAreArray(decode_outside(options, prompt, 448)));
  }
}

INSTANTIATE_TEST_SUITE_P(Models, GoldenPrompt,
                         ::testing::Values(Case{"TinyEn", "tiny.en", "whisper-tiny.en",
                                                WeightFormat::f32},
                                           Case{"Base", "base", "whisper-base", WeightFormat::f32}),
                         [](const auto& info) { return info.param.name; });
INSTANTIATE_TEST_SUITE_P(
    Models, Golden,
    ::testing::Values(Case{"TinyEnF32", "tiny.en", "whisper-tiny.en", WeightFormat::f32},
                      Case{"TinyEnF16", "tiny.en", "whisper-tiny.en", WeightFormat::f16},
                      Case{"BaseF32", "base", "whisper-base", WeightFormat::f32},
                      Case{"BaseF16", "base", "whisper-base", WeightFormat::f16}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace whisper_s4y::testing
