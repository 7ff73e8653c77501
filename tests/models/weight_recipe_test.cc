#include "models/weight_recipe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/random_checkpoint.h"
#include "models/recipe_search.h"
#include "models/weights.h"
#include "support/errors.h"
#include "support/files.h"
#include "whisper_s4y/error.h"

namespace whisper_s4y {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string refusal_of(const std::string& json) {
  return message_of([&] { (void)recipe_from_json(json, "r.json"); });
}

TEST(WeightRecipe, EverySideHasItsFormat) {
  const WeightRecipe recipe =
      recipe_from_json(R"({"encoder": "fp16", "decoder": "int8", "embedding": "int4"})", "r.json");
  EXPECT_EQ(recipe.format_of("encoder.layers.0.fc1", 4), WeightFormat::f16);
  EXPECT_EQ(recipe.format_of("decoder.layers.0.encoder_attn.k_proj", 4), WeightFormat::i8);
  EXPECT_EQ(recipe.format_of("decoder.embed_tokens", 4), WeightFormat::i4);
}

TEST(WeightRecipe, TheLastExceptionThatMatchesHolds) {
  const WeightRecipe recipe = recipe_from_json(
      R"({"exceptions": {"decoder.layers.*": "int4", "decoder.*.fc2": "int8"}})", "r.json");
  EXPECT_EQ(recipe.format_of("decoder.layers.3.fc1", 4), WeightFormat::i4);
  EXPECT_EQ(recipe.format_of("decoder.layers.3.fc2", 4), WeightFormat::i8);
  EXPECT_EQ(recipe.format_of("encoder.layers.3.fc2", 4), WeightFormat::f32);
  EXPECT_EQ(recipe.format_of("decoder.embed_tokens", 4), WeightFormat::f32);
}

TEST(WeightRecipe, ConvolutionsAreInt8ByExceptionOnly) {
  WeightRecipe recipe = recipe_of_name("int8");
  EXPECT_EQ(recipe.format_of_convolution("encoder.conv1"), WeightFormat::f16);
  recipe.exceptions = {{"encoder.conv*", WeightFormat::i8}};
  EXPECT_EQ(recipe.format_of_convolution("encoder.conv1"), WeightFormat::i8);
  EXPECT_EQ(WeightRecipe().format_of_convolution("encoder.conv1"), WeightFormat::f32);
}

TEST(WeightRecipe, LayersMayBeCountedFromTheEnd) {
  const WeightRecipe recipe = recipe_from_json(
      R"({"decoder": "int4", "exceptions": {"decoder.layers.-1.*": "int8"}})", "r.json");
  EXPECT_EQ(recipe.format_of("decoder.layers.3.fc1", 4), WeightFormat::i8);
  EXPECT_EQ(recipe.format_of("decoder.layers.3.fc1", 6), WeightFormat::i4);
  EXPECT_EQ(recipe.format_of("decoder.layers.11.fc1", 12), WeightFormat::i8);
  EXPECT_EQ(recipe.format_of("decoder.layers.1.fc1", 12), WeightFormat::i4);
}

TEST(WeightRecipe, AnEmbeddingMayBePartlyInt8) {
  WeightRecipe recipe =
      recipe_from_json(R"({"embedding": "int4", "embedding_int8_tokens": 100})", "r.json");
  EXPECT_EQ(recipe.embedding_int8_tokens, 100);
  EXPECT_THAT(to_json(recipe), HasSubstr(R"("embedding_int8_tokens":100)"));
  recipe.set_embedding(WeightFormat::i4);
  EXPECT_EQ(recipe.embedding_int8_tokens, 0);
}

TEST(WeightRecipe, AnInt8EmbeddingMayBePartlyFloat16) {
  WeightRecipe recipe =
      recipe_from_json(R"({"embedding": "int8", "embedding_fp16_tokens": 100})", "r.json");
  EXPECT_EQ(recipe.embedding_fp16_tokens, 100);
  EXPECT_THAT(to_json(recipe), HasSubstr(R"("embedding_fp16_tokens":100)"));
  recipe.set_embedding(WeightFormat::i8);
  EXPECT_EQ(recipe.embedding_fp16_tokens, 0);
}

TEST(WeightRecipe, Int8CanReplaceInt4) {
  WeightRecipe recipe = recipe_of_name("int4");
  recipe.replace_int4();
  EXPECT_THAT(to_json(recipe), Not(HasSubstr("int4")));
  EXPECT_EQ(recipe.embedding, WeightFormat::i8);
  EXPECT_EQ(recipe.embedding_int8_tokens, 0);
}

TEST(WeightRecipe, ASideReplacesItsExceptions) {
  WeightRecipe recipe = recipe_from_json(
      R"({"exceptions": {"decoder.*.fc2": "int8", "encoder.*.fc2": "int8"}})", "r.json");
  recipe.set_decoder(WeightFormat::i4);
  EXPECT_EQ(recipe.format_of("decoder.layers.0.fc2", 4), WeightFormat::i4);
  EXPECT_EQ(recipe.format_of("encoder.layers.0.fc2", 4), WeightFormat::i8);
}

TEST(WeightRecipe, AnInt8EncoderKeepsItsFirstAttention) {
  WeightRecipe recipe = recipe_of_name("none");
  recipe.set_encoder(WeightFormat::i8);
  for (const WeightRecipe& it : {recipe, recipe_of_name("int8")}) {
    EXPECT_EQ(it.format_of("encoder.layers.0.self_attn.v_proj", 4), WeightFormat::f16);
    EXPECT_EQ(it.format_of("encoder.layers.0.self_attn.out_proj", 4), WeightFormat::f16);
    EXPECT_EQ(it.format_of("encoder.layers.0.fc1", 4), WeightFormat::i8);
    EXPECT_EQ(it.format_of("encoder.layers.1.self_attn.v_proj", 4), WeightFormat::i8);
  }
  recipe.set_encoder(WeightFormat::i4);
  EXPECT_EQ(recipe.format_of("encoder.layers.0.self_attn.v_proj", 4), WeightFormat::i4);
}

TEST(WeightRecipe, JsonKeepsIt) {
  const std::string json =
      R"({"encoder":"int8","decoder":"int4","embedding":"fp32","exceptions":{"decoder.*.fc2":"int8"}})";
  EXPECT_EQ(to_json(recipe_from_json(json, "r.json")), json);
  EXPECT_EQ(to_json(recipe_of_name("fp16")),
            R"({"encoder":"fp16","decoder":"fp16","embedding":"fp16"})");
}

TEST(WeightRecipe, EveryNameIsARecipe) {
  const Checkpoint checkpoint = testing::random_checkpoint(testing::small_config());
  for (const std::string& name : recipe_names()) {
    EXPECT_NO_THROW((void)recipe_of_name(name, checkpoint)) << name;
  }
  EXPECT_THROW((void)recipe_of_name("int2", checkpoint), Error);
}

TEST(WeightRecipe, SaysWhatIsWrong) {
  EXPECT_THAT(refusal_of("[]"), HasSubstr("r.json"));
  EXPECT_EQ(refusal_of("{\n  \"encoder\": int8}"), "r.json is not valid JSON: line 2, column 14.");
  EXPECT_THAT(refusal_of(R"({"encoder": "int2"})"), HasSubstr("int2"));
  EXPECT_THAT(refusal_of(R"({"encoder": 8})"), HasSubstr("encoder"));
  EXPECT_THAT(refusal_of(R"({"encodr": "int8"})"), HasSubstr("encodr"));
  EXPECT_THAT(refusal_of(R"({"exceptions": {"*.fc2": "int8"}})"), HasSubstr("*.fc2"));
  EXPECT_THAT(refusal_of(R"({"exceptions": 1})"), HasSubstr("exceptions"));
  EXPECT_THAT(refusal_of(R"({"exceptions": {"encoder.conv*": "int4"}})"),
              HasSubstr("\"encoder.conv*\": convolutions can be int8, not int4"));
  for (const char* bad : {"-1", "1.5", "\"8\"", "99999999999"}) {
    EXPECT_THAT(refusal_of(std::string(R"({"embedding_int8_tokens": )") + bad + "}"),
                HasSubstr(bad));
  }
  EXPECT_THAT(
      refusal_of(R"({"embedding": "fp16", "embedding_int8_tokens": 9})"),
      HasSubstr("\"embedding_int8_tokens\" is for an embedding in int4, and this one is in fp16"));
  EXPECT_THAT(refusal_of(R"({"embedding": "int4", "embedding_fp16_tokens": 9})"),
              HasSubstr("\"embedding_fp16_tokens\" is for an embedding in int8"));
}

TEST(WeightRecipe, AnExceptionForNoMatrixIsRefused) {
  const Checkpoint checkpoint = testing::random_checkpoint(testing::small_config());
  for (const char* pattern : {"decoder.layers.*.fc3", "decoder.embed_tokens", "encoder.conv3"}) {
    const WeightRecipe recipe{
        .encoder = {}, .decoder = {}, .embedding = {}, .exceptions = {{pattern, WeightFormat::i8}}};
    try {
      const Weights weights(checkpoint, recipe);
      FAIL() << pattern;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr(pattern));
    }
  }
}

}  // namespace
}  // namespace whisper_s4y
