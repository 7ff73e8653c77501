// Names of tensors in a file: other tools know tensors by nothing else.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "formats/open_checkpoint.h"
#include "formats/tiny_checkpoint.h"
#include "models/random_checkpoint.h"
#include "models/recipe_search.h"
#include "models/write_bundle.h"
#include "support/files.h"
#include "tflite/model_objects.h"
#include "tflite/reader.h"
#include "tflite/schema_generated.h"

namespace whisper_s4y::testing {
namespace {

using ::testing::IsSupersetOf;

class Names : public ::testing::Test {
 protected:
  /// The names, each once.
  std::set<std::string> names(const BundleOptions& options) {
    write_bundle(checkpoint_, path(), options);
    const TfliteFile file(path());
    std::set<std::string> names;
    for (const auto* graph : *file.model().subgraphs()) {
      for (const auto* tensor : *graph->tensors()) {
        const std::string name = tensor->name()->str();
        EXPECT_TRUE(name.starts_with(graph->name()->str() + "/")) << name;
        EXPECT_TRUE(names.insert(name).second) << name << " is there twice";
      }
    }
    return names;
  }
  [[nodiscard]] std::filesystem::path path() const { return folder_ / "model.tflite"; }

  TemporaryFolder folder_;
  Checkpoint checkpoint_ = random_checkpoint(small_config(32));
};

TEST_F(Names, AreUniqueInAFile) {
  for (const auto compatibility : {Compatibility::litert, Compatibility::tflite_2_14}) {
    for (const char* recipe : {"none", "fp16", "int8", "mixed", "int4"}) {
      SCOPED_TRACE(recipe);
      BundleOptions options;
      options.recipe = recipe_of_name(recipe, checkpoint_);
      options.recipe.embedding_int8_tokens = std::min(options.recipe.embedding_int8_tokens, 8);
      options.compatibility = compatibility;
      options.text_strings = true;
      names(options);
    }
  }
}

TEST_F(Names, AreThePathsOfTheNetwork) {
  EXPECT_THAT(
      names({}),
      IsSupersetOf({"features/normalized_audio", "features/logmel", "encode/conv1/conv_2d",
                    "encode/layers.0/self_attn/q_proj/fully_connected",
                    "encode/encoder.layers.0.self_attn.k_proj.weight",
                    "pcm_encode/encoder/layers.0/gelu",
                    "cross/layers.0/encoder_attn/v_proj/fully_connected", "step/token",
                    "step/embed_tokens/gather", "step/mask/cast",
                    "step/layers.0/final_layer_norm/rsqrt", "step/new_self_k_0", "prefill/tokens",
                    "step_beam/tokens", "decode_token/layers.0/self_attn/out_proj/fully_connected",
                    "decode_token/rules/arg_max"}));
}

// Files of before these names are checkpoints still.
TEST_F(Names, AreNotNeededToReadWeights) {
  for (const char* recipe : {"none", "int8", "mixed"}) {
    SCOPED_TRACE(recipe);
    BundleOptions options;
    options.recipe = recipe_of_name(recipe, checkpoint_);
    options.recipe.embedding_int8_tokens = std::min(options.recipe.embedding_int8_tokens, 8);
    const WriteResult first = write_bundle(checkpoint_, path(), options);
    const ModelObjects bundle(read_file(path()));
    const auto model = bundle.unpack();
    for (const auto& graph : model->subgraphs) {
      for (const auto& tensor : graph->tensors) tensor->name.erase(0, graph->name.size() + 1);
    }
    write_file(folder_ / "old.tflite", bundle.pack(*model));
    const auto old = open_checkpoint(folder_ / "old.tflite");
    const auto now = open_checkpoint(path());
    ASSERT_EQ(old->tensors.size(), now->tensors.size());
    for (const auto& [name, view] : now->tensors) {
      EXPECT_TRUE(values_of(old->tensor(name)) == values_of(view)) << name;
    }
  }
}

}  // namespace
}  // namespace whisper_s4y::testing
