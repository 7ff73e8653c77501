// Every signature of the bundle against Whisper in plain double precision, on random checkpoints of
// odd shapes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <ostream>
#include <random>

#include "models/random_checkpoint.h"
#include "models/reference_whisper.h"
#include "models/runner.h"
#include "models/write_bundle.h"
#include "support/files.h"

namespace whisper_s4y::testing {
namespace {

using ::testing::ElementsAreArray;

constexpr int kPrefill = 8;
constexpr int kBeams = 3;

struct Shape {
  std::string name;
  ModelConfig config;
  CacheUpdate update = CacheUpdate::slice;
};
void PrintTo(const Shape& shape, std::ostream* out) { *out << shape.name; }

std::vector<Shape> shapes() {
  ModelConfig mels128 = small_config(36, 3, 2);
  mels128.num_mel_bins = 128;
  ModelConfig uneven = small_config(24, 2, 1);
  uneven.encoder_layers = 2;
  uneven.encoder_attention_heads = 4;
  uneven.decoder_ffn_dim = 50;
  uneven.vocab_size += 3;
  ModelConfig short_context = small_config(16, 2, 2);
  short_context.max_target_positions = 60;
  return {{"OneLayer", small_config(16, 2, 1)},
          {"Width36Mels128", mels128},
          {"UnevenSides", uneven},
          {"ShortContext", short_context},
          {"BlendedCaches", small_config(24, 3, 2), CacheUpdate::blend}};
}

/// A converted random checkpoint with an encoded window: its input and what the reference makes
/// of it.
struct Fixture {
  explicit Fixture(const Shape& shape) : checkpoint(random_checkpoint(shape.config, 7)) {
    const ModelConfig& config = shape.config;
    BundleOptions options;
    options.cache_update = shape.update;
    options.prefill_tokens = kPrefill;
    options.beams = kBeams;
    write_bundle(checkpoint, folder / "model.tflite", options);
    runner = std::make_unique<Runner>(folder / "model.tflite");
    std::mt19937 random(3);
    std::normal_distribution<float> normal;
    mel = Matrix(config.num_mel_bins, 2 * config.max_source_positions);
    for (double& number : mel.numbers) number = normal(random);
    hidden = reference_encode(checkpoint, mel);
    cross = runner->run("cross", {{"last_hidden_state", floats(hidden)}});
  }

  static Numbers floats(const Matrix& matrix) {
    return {matrix.numbers.begin(), matrix.numbers.end()};
  }

  /// The reference for a row of tokens.
  [[nodiscard]] ReferencePass reference(std::span<const int> tokens) const {
    return reference_decode(checkpoint, hidden, tokens);
  }

  [[nodiscard]] Inputs with_cross(Inputs inputs) const {
    for (const auto& [name, values] : cross.all_numbers()) inputs[name] = values;
    return inputs;
  }

  /// The next call's inputs: new_self_k_0 becomes self_k_0 and so on.
  static void feed_back(const Outputs& outputs, Inputs& inputs) {
    for (const auto& [name, values] : outputs.all_numbers()) {
      if (name.starts_with("new_")) inputs[name.substr(4)] = values;
    }
  }

  TemporaryFolder folder;
  Checkpoint checkpoint;
  std::unique_ptr<Runner> runner;
  Matrix mel;
  Matrix hidden;
  Outputs cross;
};

void expect_near(std::span<const float> got, std::span<const double> expected, double tolerance) {
  ASSERT_EQ(got.size(), expected.size());
  double largest = 0;
  double worst = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    ASSERT_TRUE(std::isfinite(got[i]));
    largest = std::max(largest, std::abs(expected[i]));
    worst = std::max(worst, std::abs(got[i] - expected[i]));
  }
  EXPECT_LE(worst, tolerance * largest);
}

std::span<const double> row(const Matrix& matrix, int index) {
  return std::span(matrix.numbers)
      .subspan(static_cast<size_t>(index * matrix.columns), static_cast<size_t>(matrix.columns));
}

constexpr double kTolerance = 1e-5;

class Reference : public ::testing::TestWithParam<Shape> {
 protected:
  void SetUp() override {
    static std::map<std::string, std::unique_ptr<Fixture>> fixtures;
    auto& fixture = fixtures[GetParam().name];
    if (fixture == nullptr) fixture = std::make_unique<Fixture>(GetParam());
    model = fixture.get();
  }

  Fixture* model = nullptr;
  const std::vector<int> tokens{21, 22, 25, 29, 4, 19, 0, 7, 11, 1, 16, 2, 18, 530, 9};
};

TEST_P(Reference, Encode) {
  const Outputs outputs =
      model->runner->run("encode", {{"input_features", Fixture::floats(model->mel)}});
  expect_near(outputs.numbers("last_hidden_state"), model->hidden.numbers, kTolerance);
}

TEST_P(Reference, PcmEncodeIsFeaturesThenEncode) {
  Numbers audio(480000);
  std::mt19937 random(5);
  std::uniform_real_distribution<float> noise(-0.3F, 0.3F);
  for (float& sample : audio) sample = noise(random);
  const Outputs features = model->runner->run("features", {{"normalized_audio", audio}});
  const Outputs encoded =
      model->runner->run("encode", {{"input_features", features.numbers("logmel")}});
  const Outputs direct = model->runner->run("pcm_encode", {{"normalized_audio", audio}});
  EXPECT_EQ(direct.numbers("last_hidden_state"), encoded.numbers("last_hidden_state"));
}

TEST_P(Reference, CrossAndSteps) {
  const ReferencePass expected = model->reference(tokens);
  Inputs inputs = model->with_cross({});
  for (size_t i = 0; i < tokens.size(); ++i) {
    inputs["token"] = Integers{tokens[i]};
    inputs["position"] = Integers{static_cast<int>(i)};
    const Outputs outputs = model->runner->run("step", inputs);
    expect_near(outputs.numbers("logits"), row(expected.logits, static_cast<int>(i)), kTolerance);
    Fixture::feed_back(outputs, inputs);
  }
}

TEST_P(Reference, LastPosition) {
  const int positions = GetParam().config.max_target_positions;
  std::vector<int> full(static_cast<size_t>(positions));
  for (size_t i = 0; i < full.size(); ++i) full[i] = static_cast<int>(i * 7 % 20);
  const ReferencePass expected = model->reference(full);
  Inputs inputs = model->with_cross({});
  Outputs outputs;
  for (int i = 0; i < positions; ++i) {
    inputs["token"] = Integers{full[static_cast<size_t>(i)]};
    inputs["position"] = Integers{i};
    outputs = model->runner->run("step", inputs);
    Fixture::feed_back(outputs, inputs);
  }
  expect_near(outputs.numbers("logits"), row(expected.logits, positions - 1), kTolerance);
}

TEST_P(Reference, PrefillInTwoCalls) {
  const ReferencePass expected = model->reference(tokens);
  Inputs inputs = model->with_cross({});
  for (int begin = 0; begin < static_cast<int>(tokens.size()); begin += kPrefill) {
    const int length = std::min<int>(kPrefill, static_cast<int>(tokens.size()) - begin);
    Integers part(kPrefill, 0);  // what follows the row's end must not matter
    std::copy_n(tokens.begin() + begin, length, part.begin());
    inputs["tokens"] = part;
    inputs["position"] = Integers{begin};
    inputs["length"] = Integers{length};
    const Outputs outputs = model->runner->run("prefill", inputs);
    expect_near(outputs.numbers("logits"), row(expected.logits, begin + length - 1), kTolerance);
    Fixture::feed_back(outputs, inputs);
  }
  // A step goes on where prefill ended, over what it left of unused rows.
  std::vector<int> longer = tokens;
  longer.push_back(5);
  inputs["token"] = Integers{5};
  inputs["position"] = Integers{static_cast<int>(tokens.size())};
  inputs.erase("tokens");
  inputs.erase("length");
  const Outputs outputs = model->runner->run("step", inputs);
  expect_near(outputs.numbers("logits"),
              row(model->reference(longer).logits, static_cast<int>(tokens.size())), kTolerance);
}

TEST_P(Reference, StepBeam) {
  const std::vector<std::vector<int>> rows{
      {21, 22, 25, 29, 4}, {21, 23, 24, 29, 6}, {21, 23, 25, 40, 19}};
  std::vector<ReferencePass> expected;
  for (const auto& tokens_of_row : rows) expected.push_back(model->reference(tokens_of_row));
  Inputs inputs = model->with_cross({});
  const auto vocabulary = static_cast<size_t>(GetParam().config.vocab_size);
  for (size_t i = 0; i < rows[0].size(); ++i) {
    inputs["tokens"] = Integers{rows[0][i], rows[1][i], rows[2][i]};
    inputs["position"] = Integers{static_cast<int>(i)};
    const Outputs outputs = model->runner->run("step_beam", inputs);
    for (size_t beam = 0; beam < rows.size(); ++beam) {
      expect_near(std::span(outputs.numbers("logits")).subspan(beam * vocabulary, vocabulary),
                  row(expected[beam].logits, static_cast<int>(i)), kTolerance);
    }
    Fixture::feed_back(outputs, inputs);
  }
}

TEST_P(Reference, Align) {
  const ReferencePass expected = model->reference(tokens);
  const auto& heads = model->checkpoint.info.generation.alignment_heads;
  const int positions = GetParam().config.max_source_positions;
  const int end = model->checkpoint.info.generation.eos_token_id;
  Inputs inputs = model->with_cross({});
  for (int begin = 0; begin < static_cast<int>(tokens.size()); begin += kPrefill) {
    const int length = std::min<int>(kPrefill, static_cast<int>(tokens.size()) - begin);
    Integers part(kPrefill, 0);
    Integers targets(kPrefill, 0);
    for (int i = 0; i < length; ++i) {
      part[static_cast<size_t>(i)] = tokens[static_cast<size_t>(begin + i)];
      targets[static_cast<size_t>(i)] = (begin + i) * 3 % end;
    }
    inputs["tokens"] = part;
    inputs["targets"] = targets;
    inputs["position"] = Integers{begin};
    const Outputs outputs = model->runner->run("align", inputs);
    for (int i = 0; i < length; ++i) {
      for (size_t h = 0; h < heads.size(); ++h) {
        const auto at = (h * kPrefill + static_cast<size_t>(i)) * static_cast<size_t>(positions);
        const Matrix& scores = expected.cross_scores.at(static_cast<size_t>(heads[h].first))
                                   .at(static_cast<size_t>(heads[h].second));
        expect_near(
            std::span(outputs.numbers("scores")).subspan(at, static_cast<size_t>(positions)),
            row(scores, begin + i), kTolerance);
      }
      double total = 0;
      for (int id = 0; id < end; ++id) total += std::exp(expected.logits.at(begin + i, id));
      const int target = targets[static_cast<size_t>(i)];
      EXPECT_NEAR(outputs.numbers("target_probs")[static_cast<size_t>(i)],
                  std::exp(expected.logits.at(begin + i, target)) / total, 1e-5);
    }
    Fixture::feed_back(outputs, inputs);
  }
}

/// The likeliest tokens without timestamps: the rules of openai/whisper decoding.py on the
/// reference's logits.
std::vector<int> greedy(const Fixture& model, std::vector<int> row_of_tokens, int max_length) {
  const GenerationConfig& generation = model.checkpoint.info.generation;
  const size_t prompt = row_of_tokens.size();
  while (static_cast<int>(row_of_tokens.size()) < max_length) {
    const ReferencePass pass = model.reference(row_of_tokens);
    int best = -1;
    for (int id = 0; id < pass.logits.columns; ++id) {
      const auto among = [id](const std::vector<int>& ids) {
        return std::find(ids.begin(), ids.end(), id) != ids.end();
      };
      if (among(generation.suppress_tokens)) continue;
      if (row_of_tokens.size() == prompt && among(generation.begin_suppress_tokens)) continue;
      const int last = pass.logits.rows - 1;
      if (best < 0 || pass.logits.at(last, id) > pass.logits.at(last, best)) best = id;
    }
    row_of_tokens.push_back(best);
    if (best == generation.eos_token_id) break;
  }
  return row_of_tokens;
}

Inputs prompt_inputs(const std::vector<int>& prompt, int max_length) {
  Integers padded(kPromptCapacity, 0);
  std::copy(prompt.begin(), prompt.end(), padded.begin());
  return {{"prompt_tokens", padded},
          {"prompt_length", Integers{static_cast<int>(prompt.size())}},
          {"max_length", Integers{max_length}}};
}

TEST_P(Reference, Decode) {
  constexpr int kMaxLength = 45;  // more than a block of the loop
  const int positions = GetParam().config.max_target_positions;
  const int end = model->checkpoint.info.generation.eos_token_id;
  const std::vector<int> prompt{21, 23, 24, 29};
  std::vector<int> expected = greedy(*model, prompt, kMaxLength);
  expected.resize(static_cast<size_t>(positions), end);
  Inputs inputs = prompt_inputs(prompt, kMaxLength);
  inputs["encoder_hidden_states"] = Fixture::floats(model->hidden);
  const Outputs decoded = model->runner->run("decode", inputs);
  EXPECT_THAT(decoded.integers("tokens"), ElementsAreArray(expected));
}

TEST_P(Reference, DecodeDetectsTheLanguage) {
  const std::vector<int> start{21};
  const ReferencePass pass = model->reference(start);
  const int likelier = pass.logits.at(0, 22) > pass.logits.at(0, 23) ? 22 : 23;
  Inputs inputs = prompt_inputs({21, -1, 25, 29}, 12);
  inputs["encoder_hidden_states"] = Fixture::floats(model->hidden);
  const Outputs detected = model->runner->run("decode", inputs);
  Inputs given = prompt_inputs({21, likelier, 25, 29}, 12);
  given["encoder_hidden_states"] = Fixture::floats(model->hidden);
  const Outputs expected = model->runner->run("decode", given);
  EXPECT_EQ(detected.integers("tokens")[1], likelier);
  EXPECT_EQ(detected.integers("tokens"), expected.integers("tokens"));
}

TEST_P(Reference, TranscribeGivesTheTextOfItsTokens) {
  Numbers audio(480000);
  for (size_t i = 0; i < audio.size(); ++i) {
    audio[i] = 0.2F * std::sin(0.01F * static_cast<float>(i % 5000));
  }
  Inputs inputs = prompt_inputs({21, 22, 25, 29}, 40);
  const Outputs encoded = model->runner->run("pcm_encode", {{"normalized_audio", audio}});
  inputs["encoder_hidden_states"] = encoded.numbers("last_hidden_state");
  const Outputs decoded = model->runner->run("decode", inputs);
  inputs.erase("encoder_hidden_states");
  inputs["normalized_audio"] = audio;
  const Outputs outputs = model->runner->run("transcribe", inputs);
  const Integers& tokens_out = outputs.integers("tokens");
  EXPECT_EQ(tokens_out, decoded.integers("tokens"));

  const Vocabulary& vocabulary = model->checkpoint.info.vocabulary;
  const Integers& lengths = outputs.integers("text_lengths");
  const Bytes& bytes = outputs.bytes("text_bytes");
  const size_t width = bytes.size() / tokens_out.size();
  ASSERT_EQ(lengths.size(), tokens_out.size());
  for (size_t i = 0; i < tokens_out.size(); ++i) {
    const auto id = static_cast<size_t>(tokens_out[i]);
    const std::string text = vocabulary.special[id] != 0 ? "" : vocabulary.tokens[id];
    ASSERT_EQ(static_cast<size_t>(lengths[i]), text.size());
    Bytes expected(width, 0);
    std::copy(text.begin(), text.end(), expected.begin());
    EXPECT_TRUE(std::equal(expected.begin(), expected.end(),
                           bytes.begin() + static_cast<ptrdiff_t>(i * width)));
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, Reference, ::testing::ValuesIn(shapes()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace whisper_s4y::testing
