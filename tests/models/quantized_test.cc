// Quantised models against the same model in float32, on random checkpoints.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "checkpoint/weights_hash.h"
#include "formats/open_checkpoint.h"
#include "formats/tiny_checkpoint.h"
#include "graph/quantize.h"
#include "models/random_checkpoint.h"
#include "models/recipe_search.h"
#include "models/runner.h"
#include "models/write_bundle.h"
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
      {"Mixed", mixed_recipe(random_checkpoint(small_config(64, 2, 2))), 64, 0.4},
      // 40 is no multiple of a block: int8 instead.
      {"Int4WithoutBlocks", recipe_of_name("int4"), 40, 0.04},
      {"EncoderAlone", {.encoder = i4, .decoder = f32, .embedding = f32}, 64, 0.4},
      {"EmbeddingByRows",
       {.encoder = f32, .decoder = f32, .embedding = i4, .embedding_int8_tokens = 8},
       64,
       0.3},
      {"EmbeddingHalvesByRows",
       {.encoder = f32, .decoder = f32, .embedding = i8, .embedding_fp16_tokens = 8},
       64,
       0.04},
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
  Checkpoint checkpoint() const {
    return random_checkpoint(small_config(GetParam().d_model, 2, 2), /*seed=*/5);
  }
  /// Converts one random checkpoint by a recipe.
  Runner converted(const WeightRecipe& recipe) { return converted(checkpoint(), recipe); }
  Runner converted(const Checkpoint& checkpoint, const WeightRecipe& recipe) {
    BundleOptions options;
    options.recipe = recipe;
    options.prefill_tokens = 4;
    write_bundle(checkpoint, folder_ / "model.tflite", options);
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
  for (const int token : {0, 1, 7, 8, 19, 20, 33, 1530}) {
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

TEST_P(Quantized, ReadsBackAsACheckpoint) {
  converted(GetParam().recipe);
  const auto opened = open_checkpoint(folder_ / "model.tflite");
  for (const auto& [name, tensor] : checkpoint().tensors) {
    EXPECT_LT(relative_error(values_of(opened->tensor(name)), values_of(tensor)),
              std::min(GetParam().tolerance, 0.15))
        << name;
  }
}

// Files from before the metadata say in names what was done to weights; since then names are free.
TEST_P(Quantized, ReadsBackByNamesOrByMetadata) {
  converted(GetParam().recipe);
  const auto path = folder_ / "model.tflite";
  const std::string expected = weights_hash(*open_checkpoint(path));
  const std::string file = read_file(path);
  // Embeddings of integers are stored in other ways since.
  if (!has_integers(GetParam().recipe.embedding)) {
    std::string without_metadata = file;
    replace_once(without_metadata, "whisper_s4y.weights", "whisper_s4y.wei____");
    write_file(path, without_metadata);
    EXPECT_EQ(weights_hash(*open_checkpoint(path)), expected);
  }

  std::string other_names = file;
  for (const std::string_view old : {"q_proj.weight*", "q_proj.bias*", "weight:ohwi", "weight:["}) {
    for (size_t at = 0; (at = other_names.find(old, at)) != std::string::npos;) {
      other_names[at + old.size() - 1] = '_';
      other_names[at] = 'Q';
    }
  }
  EXPECT_NE(other_names, file);
  write_file(path, other_names);
  EXPECT_EQ(weights_hash(*open_checkpoint(path)), expected);
}

TEST(TokenColumns, ComeBackAsTheyWere) {
  // A common row, and a column that is larger than the others.
  constexpr int32_t kRows = 5;
  constexpr int32_t kColumns = 384;
  std::mt19937 random(3);
  std::normal_distribution<float> normal;
  std::vector<float> matrix(size_t{kRows} * kColumns);
  for (size_t i = 0; i < matrix.size(); ++i) {
    const size_t column = i % kColumns;
    matrix[i] = normal(random) * (column == 7 ? 20.0F : 1.0F) + static_cast<float>(column % 5);
  }
  const Rows rows = rows_of("w", {kRows, kColumns}, matrix);
  const ColumnMoments moments = column_moments(*rows);
  const Rows offsets = rows_of("o", {1, kColumns}, moments.means);
  const Rows factors = rows_of("f", {kColumns}, moments.deviations);
  const std::vector<float> even =
      all_numbers(*columns_spread(columns_divided(columns_shifted(rows, offsets), factors)));
  EXPECT_LT(*std::ranges::max_element(even), 6);
  const TensorView view{.name = "w",
                        .shape = {kRows, kColumns},
                        .bytes = std::as_bytes(std::span(even)),
                        .spread = true,
                        .column_factors = moments.deviations,
                        .column_offsets = moments.means};
  std::vector<float> restored(matrix.size());
  view.read_rows(0, kRows, restored);
  EXPECT_LT(relative_error(restored, matrix), 1e-6);
}

// Minus the embedding: what it gives is minus the logits.
TEST_P(Quantized, UsesAnOutputMatrixOfItsOwn) {
  const Inputs inputs{{"token", Integers{7}}, {"position", Integers{0}}};
  Numbers expected = converted({}).run("step", inputs).numbers("logits");
  for (float& logit : expected) logit = -logit;
  Checkpoint untied = checkpoint();
  TensorView matrix = untied.tensors.at("decoder.embed_tokens.weight");
  matrix.name = "proj_out.weight";
  std::vector<float> numbers = values_of(matrix);
  for (float& number : numbers) number = -number;
  const auto bytes = std::as_bytes(std::span(numbers));
  matrix.copy = std::make_shared<const std::vector<std::byte>>(bytes.begin(), bytes.end());
  matrix.bytes = *matrix.copy;
  untied.tensors.emplace(matrix.name, matrix);
  EXPECT_LT(
      relative_error(converted(untied, GetParam().recipe).run("step", inputs).numbers("logits"),
                     expected),
      GetParam().tolerance);
  const auto opened = open_checkpoint(folder_ / "model.tflite");
  EXPECT_LT(relative_error(values_of(opened->tensor(matrix.name)), numbers),
            std::min(GetParam().tolerance, 0.15));
}

class EmbeddingByRows : public Quantized {};

// Logits of int8 rows are as exact as those of an int8 embedding.
TEST_P(EmbeddingByRows, FrequentAndSpecialTokensAreInt8) {
  Runner exact = converted({});
  Runner model = converted(GetParam().recipe);
  const int frequent = GetParam().recipe.embedding_int8_tokens;
  constexpr int kSpecial = 20;
  for (const int token : {0, frequent - 1, frequent, kSpecial - 1, kSpecial}) {
    const Inputs inputs{{"token", Integers{token}}, {"position", Integers{0}}};
    const Numbers got = model.run("step", inputs).numbers("logits");
    const Numbers expected = exact.run("step", inputs).numbers("logits");
    const auto error = [&](int first, int last) {
      return relative_error({got.begin() + first, got.begin() + last},
                            {expected.begin() + first, expected.begin() + last});
    };
    const auto size = static_cast<int>(got.size());
    EXPECT_GT(error(frequent, kSpecial), 0.04) << token;
    if (token >= frequent && token < kSpecial) continue;  // what goes in is int4 itself
    EXPECT_LT(error(0, frequent), 0.04) << token;
    EXPECT_LT(error(kSpecial, size), 0.04) << token;
  }
}

INSTANTIATE_TEST_SUITE_P(Recipes, EmbeddingByRows,
                         ::testing::Values(Case{"EmbeddingByRows",
                                                {.encoder = WeightFormat::f32,
                                                 .decoder = WeightFormat::f32,
                                                 .embedding = WeightFormat::i4,
                                                 .embedding_int8_tokens = 8}}),
                         [](const auto& info) { return info.param.name; });

class OtherPositions : public Quantized {};

// Only the sinusoids that openai/whisper has are computed instead of stored.
TEST_P(OtherPositions, AreStored) {
  Checkpoint other = checkpoint();
  TensorView& positions = other.tensors.at("encoder.embed_positions.weight");
  std::vector<float> numbers = values_of(positions);
  std::ranges::reverse(numbers);
  const auto bytes = std::as_bytes(std::span(numbers));
  positions.copy = std::make_shared<const std::vector<std::byte>>(bytes.begin(), bytes.end());
  positions.bytes = *positions.copy;
  converted(other, GetParam().recipe);
  const auto opened = open_checkpoint(folder_ / "model.tflite");
  EXPECT_LT(relative_error(values_of(opened->tensor(positions.name)), numbers), 0.001);
}

INSTANTIATE_TEST_SUITE_P(Recipes, OtherPositions,
                         ::testing::Values(Case{"Int4", recipe_of_name("int4")}),
                         [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(Recipes, Quantized, ::testing::ValuesIn(cases()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace whisper_s4y::testing
