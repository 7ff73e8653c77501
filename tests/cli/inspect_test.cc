#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/run_program.h"

namespace whisper_s4y {
namespace {

using ::testing::HasSubstr;

TEST(Inspect, PrintsJsonWithEverySignature) {
  const auto checkpoint = genuine_checkpoint("tiny.en/ct2");
  if (checkpoint.empty()) GTEST_SKIP() << "needs WHISPER_S4Y_CHECKPOINTS";
  const TemporaryFolder folder;
  const std::string model = folder.file("m.tflite");
  ASSERT_EQ(run_program({"convert", checkpoint.string(), "-o", model, "-q"}).exit_code, 0);
  const ProgramResult result = run_program({"inspect", model, "--json"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const auto json = nlohmann::json::parse(result.out);
  EXPECT_EQ(json["size"], std::filesystem::file_size(model));
  EXPECT_EQ(json["model"]["d_model"], 384);
  EXPECT_EQ(json["vocabulary_size"], 51864);
  nlohmann::json encode;
  for (const auto& signature : json["signatures"]) {
    if (signature["key"] == "encode") encode = signature;
  }
  EXPECT_EQ(encode["inputs"], nlohmann::json::parse(R"([{"name": "input_features",
      "dtype": "float32", "shape": [1, 80, 3000]}])"));
  EXPECT_EQ(encode["outputs"], nlohmann::json::parse(R"([{"name": "last_hidden_state",
      "dtype": "float32", "shape": [1, 1500, 384]}])"));
  EXPECT_EQ(encode["ops"]["CONV_2D"], 2);
}

TEST(Inspect, RefusesWhatIsNoModel) {
  const TemporaryFolder folder;
  write_file(folder.file("text"), "no model at all, but long enough");
  const ProgramResult result = run_program({"inspect", folder.file("text")});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("is not a .tflite file"));
  EXPECT_EQ(run_program({"inspect", folder.file("missing")}).exit_code, 1);
}

}  // namespace
}  // namespace whisper_s4y
