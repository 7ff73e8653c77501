#include "tflite/stored_weights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "graph/graph.h"
#include "support/errors.h"
#include "support/files.h"
#include "tflite/metadata_names.h"
#include "tflite/writer.h"

namespace whisper_s4y {
namespace {

using ::testing::HasSubstr;

class StoredWeights : public ::testing::Test {
 protected:
  /// What is read of a file with this metadata.
  std::optional<std::vector<StoredWeight>> read(std::optional<std::string> metadata) {
    Module module;
    module.add_graph("main");
    if (metadata) module.add_metadata(std::string(kWeightsMetadata), *metadata);
    const auto path = folder_ / "m.tflite";
    write_tflite(module, path);
    return read_stored_weights(TfliteFile(path));
  }

  TemporaryFolder folder_;
};

TEST_F(StoredWeights, ComeBackAsTheyWere) {
  const std::vector<StoredWeight> weights = {
      {.weight = "a.weight", .constant = "a", .factor = 0.125F},
      {.weight = "b.weight", .constant = "b", .first_row = 8000, .row_scales = "b.scales"},
      {.weight = "c.weight", .constant = "c", .taps_first = true},
      {.weight = "d.weight", .constant = "d", .block_scales = "s", .column_factors = "f"},
      {.weight = "e.weight", .constant = "e", .spread = true, .column_offsets = "o"},
      {.weight = "positions", .constant = {}}};
  EXPECT_EQ(read(to_json(weights)), weights);
  EXPECT_EQ(read("[]"), std::vector<StoredWeight>());
}

TEST_F(StoredWeights, AreNotThereInOldFiles) { EXPECT_EQ(read(std::nullopt), std::nullopt); }

TEST_F(StoredWeights, DamagedOnesAreNamed) {
  const std::pair<const char*, const char*> damages[] = {
      {"", "is no JSON list"},
      {"{}", "is no JSON list"},
      {"[7]", "entry 0: the entry is damaged"},
      {R"([{"constant": "a"}])", "entry 0: weight is damaged"},
      {R"([{"weight": "a"}, {"weight": 1}])", "entry 1: weight is damaged"},
      {R"([{"weight": "a", "constant": []}])", "constant is damaged"},
      {R"([{"weight": "a", "first_row": -1}])", "first_row is damaged"},
      {R"([{"weight": "a", "first_row": 1e40}])", "first_row is damaged"},
      {R"([{"weight": "a", "factor": 0}])", "factor is damaged"},
      {R"([{"weight": "a", "factor": 1e-300}])", "factor is damaged"},
      {R"([{"weight": "a", "taps_first": 1}])", "taps_first is damaged"},
      {R"([{"weight": "a", "spread": "yes"}])", "spread is damaged"},
      {R"([{"weight": "a", "turned": true}])", "entry 0: \"turned\" is unknown to this program"},
      {R"([{"weight": "a", "column_offsets": 1}])", "column_offsets is damaged"}};
  for (const auto& [metadata, expected] : damages) {
    EXPECT_THAT(message_of([&, &text = metadata] { (void)read(text); }), HasSubstr(expected))
        << metadata;
  }
}

}  // namespace
}  // namespace whisper_s4y
