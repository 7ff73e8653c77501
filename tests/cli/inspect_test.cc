#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/run_program.h"
#include "export/export_checkpoint.h"
#include "formats/tiny_checkpoint.h"

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

TEST(Inspect, TellsWhatOfACheckpointIsIgnored) {
  const TemporaryFolder folder;
  export_checkpoint(tiny_checkpoint(), folder.path(), "safetensors");
  write_file(folder / "generation_config.json", R"({"alignment_heads": [[0, 1], [25, 3]]})");
  const ProgramResult result = run_program({"inspect", folder.path().string(), "--json"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const std::string warning =
      folder.file("generation_config.json") +
      ": of alignment_heads 1 pair is left out, for the decoder has 1 layers of 2 heads: [25,3].";
  EXPECT_EQ(nlohmann::json::parse(result.out)["warnings"], nlohmann::json{warning});
  EXPECT_EQ(result.err, "whisper-s4y: warning: " + warning + "\n");
}

TEST(Inspect, ShowsTheSameWeightsInEveryFormat) {
  const auto folder = genuine_checkpoint("tiny.en");
  if (folder.empty()) GTEST_SKIP() << "needs WHISPER_S4Y_CHECKPOINTS";
  const TemporaryFolder out;
  ASSERT_EQ(run_program({"convert", (folder / "ct2").string(), "-o", out.file("m.tflite"), "-q"})
                .exit_code,
            0);
  const auto inspect = [](const std::filesystem::path& path) {
    const ProgramResult result = run_program({"inspect", path.string(), "--json"});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return nlohmann::json::parse(result.out);
  };
  const auto hf = inspect(folder / "hf");
  EXPECT_EQ(hf["format"], "safetensors");
  EXPECT_EQ(hf["name"], "tiny.en");
  EXPECT_EQ(hf["model"]["d_model"], 384);
  EXPECT_EQ(hf["dtypes"].size(), 1U);
  EXPECT_EQ(hf["dtypes"]["float16"]["numbers"], 37'760'256);
  EXPECT_EQ(hf["tokenizer"]["tokens"], 51864);
  EXPECT_EQ(hf["tokenizer"]["merges"], 50'000);
  EXPECT_TRUE(hf["languages"].empty());
  for (const auto& [other, format] :
       {std::pair("ct2", "ctranslate2"), std::pair("openai", "openai"),
        std::pair("ggml/ggml-tiny.en.bin", "ggml"), std::pair("hf-bin", "pytorch")}) {
    const auto shown = inspect(folder / other);
    EXPECT_EQ(shown["format"], format);
    EXPECT_EQ(shown["weights_hash"], hf["weights_hash"]) << other;
    EXPECT_EQ(shown["model"], hf["model"]) << other;
  }
  EXPECT_EQ(inspect(out.file("m.tflite"))["weights_hash"], hf["weights_hash"]);
  const auto quantised = inspect(folder / "ggml/ggml-tiny.en-q5_0.bin");
  EXPECT_NE(quantised["weights_hash"], hf["weights_hash"]);
  EXPECT_GT(quantised["dtypes"]["q5_0"]["tensors"], 40);
  const ProgramResult text = run_program({"inspect", (folder / "openai").string()});
  EXPECT_THAT(text.out, HasSubstr("English only"));
  EXPECT_THAT(text.out, HasSubstr(hf["weights_hash"].get<std::string>()));
}

TEST(Inspect, RefusesWhatIsNoModel) {
  const TemporaryFolder folder;
  write_file(folder.file("text"), "no model at all, but long enough");
  const ProgramResult result = run_program({"inspect", folder.file("text")});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("is no checkpoint this program knows"));
  EXPECT_EQ(run_program({"inspect", folder.file("missing")}).exit_code, 1);
}

}  // namespace
}  // namespace whisper_s4y
