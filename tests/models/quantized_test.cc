// Quantised models against the same model in float32, on random checkpoints.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "models/convert.h"
#include "models/random_checkpoint.h"
#include "models/runner.h"
#include "support/files.h"

namespace whisper_s4y::testing {
namespace {

struct Case {
  std::string name;
  WeightRecipe recipe;
  int d_model = 64;
  double tolerance = 0;  // root of the mean squared error, as part of the numbers'
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

std::vector<Case> cases() {
  using enum WeightFormat;
  return {
      {"Fp16", recipe_of_name("fp16"), 64, 0.002},
      {"Int8", recipe_of_name("int8"), 64, 0.04},
      {"Int4", recipe_of_name("int4"), 64, 0.4},
      {"Mixed", recipe_of_name("mixed"), 64, 0.4},
      // 40 is no multiple of a block: int8 instead.
      {"Int4WithoutBlocks", recipe_of_name("int4"), 40, 0.04},
      {"EncoderAlone", {.encoder = i4, .decoder = f32, .embedding = f32}, 64, 0.4},
      {"EmbeddingAlone", {.encoder = f32, .decoder = f32, .embedding = i4}, 64, 0.3},
      {"Fp16EmbeddingInt8", {.encoder = f16, .decoder = f16, .embedding = i8}, 64, 0.04},
      {"Int8EmbeddingFp16", {.encoder = i8, .decoder = i8, .embedding = f16}, 64, 0.04},
      {"OneException",
       {.encoder = f32,
        .decoder = f32,
        .embedding = f32,
        .exceptions = {{"decoder.layers.0.*", i4}}},
       64,
       0.3},
  };
}

double relative_error(const Numbers& got, const Numbers& expected) {
  EXPECT_EQ(got.size(), expected.size());
  double error = 0;
  double norm = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    EXPECT_TRUE(std::isfinite(got[i]));
    error += std::pow(got[i] - expected[i], 2);
    norm += std::pow(expected[i], 2);
  }
  return std::sqrt(error / norm);
}

class Quantized : public ::testing::TestWithParam<Case> {
 protected:
  /// Converts one random checkpoint by a recipe.
  Runner converted(const WeightRecipe& recipe) {
    const Checkpoint checkpoint =
        random_checkpoint(small_config(GetParam().d_model, 2, 2), /*seed=*/5);
    ConvertOptions options;
    options.recipe = recipe;
    options.prefill_tokens = 4;
    options.text_strings = false;
    convert(checkpoint, folder_ / "model.tflite", options);
    return Runner(folder_ / "model.tflite", {"encode", "step", "prefill", "decode"});
  }

  TemporaryFolder folder_;
};

TEST_P(Quantized, IsNearFloat32) {
  Runner exact = converted({});
  Runner model = converted(GetParam().recipe);
  std::mt19937 random(3);
  std::normal_distribution<float> normal;
  Numbers mel(80 * 3000);
  for (float& number : mel) number = normal(random);
  const Inputs window{{"input_features", mel}};
  EXPECT_LT(relative_error(model.run("encode", window).numbers("last_hidden_state"),
                           exact.run("encode", window).numbers("last_hidden_state")),
            GetParam().tolerance);
  for (const int token : {0, 1, 19, 33, 1530}) {
    const Inputs inputs{{"token", Integers{token}}, {"position", Integers{0}}};
    EXPECT_LT(relative_error(model.run("step", inputs).numbers("logits"),
                             exact.run("step", inputs).numbers("logits")),
              GetParam().tolerance)
        << token;
  }
}

TEST_P(Quantized, PrefillEqualsStep) {
  Runner model = converted(GetParam().recipe);
  const Inputs one{{"token", Integers{7}}, {"position", Integers{0}}};
  const Inputs row{
      {"tokens", Integers{7, 0, 0, 0}}, {"position", Integers{0}}, {"length", Integers{1}}};
  EXPECT_LT(relative_error(model.run("prefill", row).numbers("logits"),
                           model.run("step", one).numbers("logits")),
            0.02);  // activations are quantised in other pieces
}

INSTANTIATE_TEST_SUITE_P(Recipes, Quantized, ::testing::ValuesIn(cases()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace whisper_s4y::testing
