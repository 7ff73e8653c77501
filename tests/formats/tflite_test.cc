#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "checkpoint/weights_hash.h"
#include "formats/open_checkpoint.h"
#include "formats/tiny_checkpoint.h"
#include "formats/tiny_tflite.h"

namespace whisper_s4y {
namespace {

using testing::HasSubstr;

class TfliteCheckpoint : public testing::Test {
 protected:
  TfliteCheckpoint() : tiny_(tiny_checkpoint()) { write_file(path(), tiny_tflite(tiny_)); }
  std::filesystem::path path() const { return folder_ / "m.tflite"; }

  TemporaryFolder folder_;
  Checkpoint tiny_;
};

TEST_F(TfliteCheckpoint, UndoesWhatTheGraphsDoToWeights) {
  const auto opened = open_checkpoint(path());
  EXPECT_EQ(opened->format, "tflite");
  EXPECT_EQ(opened->info.name, tiny_.info.name);
  expect_same_model(*opened, tiny_);
  EXPECT_EQ(weights_hash(*opened), weights_hash(tiny_));
  EXPECT_FALSE(opened->tensor("encoder.conv1.weight").is_stored_as(StorageType::f32));
  EXPECT_FALSE(
      opened->tensor("encoder.layers.0.self_attn.q_proj.weight").is_stored_as(StorageType::f32));
  EXPECT_TRUE(
      opened->tensor("encoder.layers.0.self_attn.k_proj.weight").is_stored_as(StorageType::f32));
}

TEST_F(TfliteCheckpoint, ReadsAnyRowsOfAKernel) {
  const auto opened = open_checkpoint(path());
  const std::vector<float> all = values_of(tiny_.tensor("encoder.conv2.weight"));
  std::vector<float> rows(2 * 8 * 3);
  opened->tensor("encoder.conv2.weight").read_rows(3, 2, rows);
  EXPECT_TRUE(std::equal(rows.begin(), rows.end(), all.begin() + 3 * 8 * 3));
}

TEST_F(TfliteCheckpoint, ReadsFloat16) {
  write_file(path(), tiny_tflite(tiny_, DType::f16));
  const auto opened = open_checkpoint(path());
  expect_same_model(*opened, tiny_);  // its numbers have 7 bits
  EXPECT_EQ(opened->tensor("decoder.embed_tokens.weight").type, StorageType::f16);
}

TEST_F(TfliteCheckpoint, ReadsIntegersAsStored) {
  write_file(path(), tiny_tflite(tiny_, DType::i8));
  const auto opened = open_checkpoint(path());
  for (const char* name : {"decoder.embed_tokens.weight", "encoder.layers.1.fc2.weight",
                           "encoder.layers.1.self_attn.q_proj.weight"}) {
    EXPECT_EQ(opened->tensor(name).type, StorageType::i8);
    const std::vector<float> expected = values_of(tiny_.tensor(name));
    const std::vector<float> actual = values_of(opened->tensor(name));
    const auto width = static_cast<size_t>(tiny_.tensor(name).row_size());
    for (size_t i = 0; i < expected.size(); ++i) {
      float largest = 0;
      for (size_t k = i / width * width; k < (i / width + 1) * width; ++k) {
        largest = std::max(largest, std::abs(expected[k]));
      }
      ASSERT_NEAR(actual[i], expected[i], largest / 127 * 0.501F) << name << " " << i;
    }
  }
}

TEST_F(TfliteCheckpoint, ReportsWhatIsNoBundle) {
  const std::vector<Damage> damages = {
      {"empty", [](std::string& b) { b.clear(); }, "is empty"},
      {"8 bytes", [](std::string& b) { b.resize(8); }, "no checkpoint this program knows"},
      {"half", [](std::string& b) { b.resize(b.size() / 2); }, ""},
      {"other maker",
       [](std::string& b) { replace_once(b, "whisper_s4y.model", "whisper_xxx.model"); },
       "was not written by whisper-s4y"},
      {"missing weight",
       [](std::string& b) {
         replace_once(b, "encoder.layers.1.fc1.bias", "encoder.layers.1.fc9.bias");
       },
       "has no weight encoder.layers.1.fc1.bias"},
      {"unknown change",
       [](std::string& b) {
         replace_once(b, "encoder.conv2.weight:ohwi", "encoder.conv2.weight:hwio");
       },
       "encoder.conv2.weight:hwio"},
      {"factor of zero",
       [](std::string& b) {
         replace_once(b, "encoder.layers.1.self_attn.q_proj.bias*0.5",
                      "encoder.layers.1.self_attn.q_proj.bias*0.0");
       },
       "q_proj.bias*0.0"},
      {"factor of nothing",
       [](std::string& b) {
         replace_once(b, "encoder.layers.1.self_attn.q_proj.bias*0.5",
                      "encoder.layers.1.self_attn.q_proj.bias*nan");
       },
       "q_proj.bias*nan"},
      {"other layers",
       [](std::string& b) { replace_once(b, "\"encoder_layers\":2", "\"encoder_layers\":3"); },
       "has no weight encoder.layers.2."},
      {"other width",
       [](std::string& b) { replace_once(b, "\"encoder_ffn_dim\":32", "\"encoder_ffn_dim\":64"); },
       "of shape [64, 8] cannot be had from"},
      {"swapped",
       [](std::string& b) {
         replace_once(b, "encoder.layers.1.fc1.weight", "encoder.layers.1.fcx.weight");
         replace_once(b, "encoder.layers.1.fc2.weight", "encoder.layers.1.fc1.weight");
       },
       "of shape [32, 8] cannot be had from"},
  };
  expect_damages_reported(path(), path(), damages);
}

TEST_F(TfliteCheckpoint, SurvivesCutsAndFlips) {
  expect_robust(path(), path(), read_file(path()).size());
}

}  // namespace
}  // namespace whisper_s4y
