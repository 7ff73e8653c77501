#include "models/recipe_search.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "models/random_checkpoint.h"
#include "models/write_bundle.h"
#include "support/errors.h"
#include "support/files.h"
#include "whisper_s4y/error.h"

namespace whisper_s4y::testing {
namespace {

using ::testing::HasSubstr;

constexpr int kWidth = 64;  // whole blocks of int4

class RecipeSearch : public ::testing::Test {
 protected:
  [[nodiscard]] uint64_t size_of(const WeightRecipe& recipe) const {
    BundleOptions options;
    options.recipe = recipe;
    options.compatibility = compatibility_;
    return bundle_size(checkpoint_, options);
  }
  [[nodiscard]] WeightRecipe found_for(uint64_t target) const {
    return recipe_for_size(checkpoint_, target, compatibility_,
                           [&](const WeightRecipe& recipe) { return size_of(recipe); });
  }
  /// Bytes of the smallest file and of the largest that are chosen.
  [[nodiscard]] std::pair<uint64_t, uint64_t> range() const {
    const WeightRecipe smallest = recipe_for_size(checkpoint_, UINT64_MAX, compatibility_,
                                                  [](const WeightRecipe&) { return uint64_t{1}; });
    const uint64_t most = size_of(smallest);
    uint64_t least = most;
    try {
      (void)recipe_for_size(checkpoint_, 0, compatibility_, [&](const WeightRecipe& recipe) {
        least = size_of(recipe);
        return least;
      });
    } catch (const Error&) {
    }
    return {least, most};
  }

  Checkpoint checkpoint_ = random_checkpoint(small_config(kWidth, 2, 3), /*seed=*/5);
  Compatibility compatibility_ = Compatibility::litert;
};

TEST_F(RecipeSearch, KeepsWithinTheSize) {
  const auto [least, most] = range();
  ASSERT_LT(least, most);
  uint64_t last = 0;
  for (int part = 0; part <= 8; ++part) {
    const uint64_t target = least + (most - least) * static_cast<uint64_t>(part) / 8;
    const uint64_t size = size_of(found_for(target));
    EXPECT_LE(size, target) << part;
    EXPECT_GE(size, last) << part;
    last = size;
  }
}

TEST_F(RecipeSearch, TakesFloat16WhereThereIsRoom) {
  const WeightRecipe recipe = found_for(uint64_t{1} << 40);
  EXPECT_EQ(to_json(recipe), to_json(recipe_of_name("fp16")));
}

TEST_F(RecipeSearch, SpendsInt4WhereItHarmsLeast) {
  const auto [least, most] = range();
  const WeightRecipe recipe = found_for(least + (most - least) / 8);
  const auto format = [&](const std::string& matrix) { return recipe.format_of(matrix, 3); };
  EXPECT_EQ(format("decoder.layers.0.self_attn.q_proj"), WeightFormat::i4);
  EXPECT_NE(format("encoder.layers.0.self_attn.v_proj"), WeightFormat::i4);
  EXPECT_NE(format("decoder.layers.2.fc2"), WeightFormat::i4);
}

TEST_F(RecipeSearch, KeepsFrequentTokensOfAnInt8EmbeddingInFloat16) {
  ModelConfig config = small_config(kWidth, 2, 3);
  config.vocab_size = 8000;
  checkpoint_ = random_checkpoint(config, /*seed=*/5);
  const auto [least, most] = range();
  bool found = false;
  for (uint64_t part = 1; part < 16 && !found; ++part) {
    const WeightRecipe recipe = found_for(least + (most - least) * part / 16);
    found = recipe.embedding == WeightFormat::i8 && recipe.embedding_fp16_tokens == 1000;
  }
  EXPECT_TRUE(found);
}

TEST_F(RecipeSearch, IsTheSameEveryTime) {
  const auto [least, most] = range();
  const uint64_t target = (least + most) / 2;
  EXPECT_EQ(to_json(found_for(target)), to_json(found_for(target)));
}

TEST_F(RecipeSearch, SaysTheSmallestSizeWhenThereIsNoRoom) {
  const auto least = range().first;
  const std::string message = message_of([&] { (void)found_for(least - 1); });
  EXPECT_THAT(message, HasSubstr("does not fit into"));
  EXPECT_THAT(message, HasSubstr("its smallest file has"));
}

TEST_F(RecipeSearch, HasNoInt4ForOldInterpreters) {
  compatibility_ = Compatibility::tflite_2_14;
  const auto [least, most] = range();
  EXPECT_THAT(to_json(found_for(least)), Not(HasSubstr("int4")));
}

TEST_F(RecipeSearch, HasNoInt4WithoutBlocks) {
  checkpoint_ = random_checkpoint(small_config(40, 2, 3), /*seed=*/5);
  const auto [least, most] = range();
  EXPECT_THAT(to_json(found_for(least)), Not(HasSubstr("int4")));
}

TEST_F(RecipeSearch, TheSizeIsThatOfTheFile) {
  const TemporaryFolder folder;
  BundleOptions options;
  options.recipe = mixed_recipe(checkpoint_);
  const WriteResult written = write_bundle(checkpoint_, folder / "model.tflite", options);
  EXPECT_EQ(size_of(options.recipe), written.file_size);
}

}  // namespace
}  // namespace whisper_s4y::testing
