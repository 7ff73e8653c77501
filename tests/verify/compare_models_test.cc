#include "verify/compare_models.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/random_checkpoint.h"
#include "models/recipe_search.h"
#include "models/write_bundle.h"
#include "support/files.h"
#include "verify/test_signal.h"
#include "whisper_s4y/error.h"

namespace whisper_s4y {
namespace {

constexpr size_t kWindow = 480000;

class CompareModels : public ::testing::Test {
 protected:
  std::filesystem::path converted(const std::string& name, unsigned seed,
                                  const WeightRecipe& recipe = {}, int d_model = 64) {
    BundleOptions options;
    options.recipe = recipe;
    write_bundle(testing::random_checkpoint(testing::small_config(d_model, 2, 1), seed),
                 folder_ / name, options);
    return folder_ / name;
  }

  static WindowComparison compare(const std::filesystem::path& model,
                                  const std::filesystem::path& reference) {
    RuntimeOptions options;
    options.use_cache = false;
    WhisperModel one(model, options);
    WhisperModel other(reference, options);
    return compare_models(one, other, test_signal(kWindow), 8);
  }

  static bool within(const WindowComparison& c, const Bounds& bounds) {
    return c.mel.relative <= bounds.mel && c.encoder.relative <= bounds.encoder &&
           c.logits.relative <= bounds.logits;
  }

  TemporaryFolder folder_;
};

TEST_F(CompareModels, TheSameModelDiffersInNothing) {
  const auto path = converted("a.tflite", 1);
  const WindowComparison c = compare(path, path);
  EXPECT_EQ(c.mel.largest, 0);
  EXPECT_EQ(c.encoder.largest, 0);
  EXPECT_EQ(c.logits.largest, 0);
  EXPECT_EQ(c.first_difference, -1);
  EXPECT_EQ(c.tokens, c.reference_tokens);
  EXPECT_EQ(c.text, c.reference_text);
}

TEST_F(CompareModels, EveryFormatKeepsWithinItsBounds) {
  const auto reference = converted("reference.tflite", 1);
  const Checkpoint checkpoint = testing::random_checkpoint(testing::small_config(64, 2, 1), 1);
  for (const std::string& name : recipe_names()) {
    const auto path = converted(name + ".tflite", 1, recipe_of_name(name, checkpoint));
    EXPECT_TRUE(within(compare(path, reference), default_bounds(TfliteFile(path)))) << name;
  }
}

TEST_F(CompareModels, AnotherModelIsBeyondAllBounds) {
  const auto reference = converted("reference.tflite", 1);
  const auto path = converted("other.tflite", 2, recipe_of_name("int4"));
  const WindowComparison c = compare(path, reference);
  const Bounds bounds = default_bounds(TfliteFile(path));
  EXPECT_EQ(c.mel.largest, 0);
  EXPECT_GT(c.encoder.relative, bounds.encoder);
  EXPECT_GT(c.logits.relative, bounds.logits);
}

TEST_F(CompareModels, OtherDimensionsAreRefused) {
  const auto reference = converted("reference.tflite", 1);
  const auto path = converted("other.tflite", 1, {}, 32);
  EXPECT_THROW((void)compare(path, reference), Error);
}

TEST(TestSignal, IsLoudThenSilent) {
  const std::vector<float> signal = test_signal(kWindow);
  float largest = 0;
  for (const float sample : signal) largest = std::max(largest, std::abs(sample));
  EXPECT_GT(largest, 0.3F);
  EXPECT_LE(largest, 1.0F);
  EXPECT_EQ(signal.back(), 0.0F);
}

}  // namespace
}  // namespace whisper_s4y
