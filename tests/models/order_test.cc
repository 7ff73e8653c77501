// The order of tensors and ops in a file is that of the program, not of the compiler: arguments of
// a call are computed in whatever order a compiler likes (graph/ops.h).
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include "common/content_hash.h"
#include "models/random_checkpoint.h"
#include "models/recipe_search.h"
#include "models/write_bundle.h"
#include "support/files.h"
#include "tflite/reader.h"
#include "tflite/schema_generated.h"

namespace whisper_s4y::testing {
namespace {

// What writes down how tensors, ops and buffers stand, of the numbers nothing.
std::string listing_of(const tflite::Model& model) {
  std::string listing;
  const auto add = [&](std::string_view key, const auto* numbers) {
    if (numbers != nullptr)
      listing += fmt::format(" {}{}", key, std::vector(numbers->begin(), numbers->end()));
  };
  for (const tflite::SubGraph* graph : *model.subgraphs()) {
    listing += graph->name()->str() + "\n";
    for (const tflite::Tensor* tensor : *graph->tensors()) {
      listing += fmt::format("{} {} {}", tensor->name()->str(), static_cast<int>(tensor->type()),
                             tensor->buffer());
      add("", tensor->shape());
      listing += "\n";
    }
    for (const tflite::Operator* op : *graph->operators()) {
      listing += fmt::format("{}", op_number(*model.operator_codes()->Get(op->opcode_index())));
      add("", op->inputs());
      add("-> ", op->outputs());
      listing += "\n";
    }
  }
  return listing;
}

struct Case {
  std::string recipe;
  Compatibility compatibility;
  std::string hash;
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.recipe; }

class Order : public ::testing::TestWithParam<Case> {};

// When a graph is changed on purpose, the hash that the test finds is the new one, if it is found
// with GCC and with clang (the preset "fuzz"), which go through arguments in different directions.
TEST_P(Order, IsTheSameWithEveryCompiler) {
  const TemporaryFolder folder;
  BundleOptions options;
  const Checkpoint checkpoint = random_checkpoint(small_config(32));
  options.recipe = recipe_of_name(GetParam().recipe, checkpoint);
  options.recipe.embedding_int8_tokens = std::min(options.recipe.embedding_int8_tokens, 8);
  options.compatibility = GetParam().compatibility;
  const auto path = folder / "bundle.tflite";
  (void)write_bundle(checkpoint, path, options);
  const TfliteFile file(path);
  const std::string listing = listing_of(file.model());
  ContentHash hash;
  hash.update(std::as_bytes(std::span(listing)));
  EXPECT_EQ(hash.digest(), GetParam().hash) << listing.size() << " characters";
}

INSTANTIATE_TEST_SUITE_P(
    Recipes, Order,
    ::testing::Values(Case{"none", Compatibility::litert, "6aae7f34d10ea5fa8b91202b2673de6c"},
                      Case{"int8", Compatibility::litert, "597163b178b3150fb8e024a2ea08a1d1"},
                      Case{"mixed", Compatibility::litert, "2ceea1d97ac813f59033063522c70dfc"},
                      Case{"int8", Compatibility::tflite_2_14,
                           "5e73c24db06efa2f2e34709d62a11bba"}));

}  // namespace
}  // namespace whisper_s4y::testing
