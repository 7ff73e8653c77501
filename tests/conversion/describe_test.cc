#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "cli/small_model.h"
#include "support/errors.h"
#include "support/files.h"
#include "whisper_s4y/checkpoint.h"
#include "whisper_s4y/convert.h"

namespace whisper_s4y {
namespace {

using Json = nlohmann::json;

TEST(DescribeFile, KnowsCheckpointsModelsAndRecordings) {
  const TemporaryFolder folder;
  convert(small_checkpoint(), folder / "m.tflite");
  const Json checkpoint = Json::parse(describe_file(small_checkpoint()));
  EXPECT_EQ(checkpoint["format"], "safetensors");
  EXPECT_EQ(checkpoint["model"]["d_model"], 16);
  const Json model = Json::parse(describe_file(folder / "m.tflite"));
  EXPECT_EQ(model["model"]["d_model"], 16);
  EXPECT_GT(model["signatures"].size(), 8U);
  const Json recording = Json::parse(describe_file(source_dir() / "examples" / "jfk.flac"));
  EXPECT_EQ(recording["audio_tracks"].size(), 1U);
}

TEST(DescribeFile, SaysWhatItDoesNotKnow) {
  const TemporaryFolder folder;
  write_file(folder / "notes.txt", "nothing of the kind");
  EXPECT_NE(message_of([&] { (void)describe_file(folder / "notes.txt"); }), "no error");
  EXPECT_NE(message_of([&] { (void)describe_file(folder / "missing"); }), "no error");
}

}  // namespace
}  // namespace whisper_s4y
