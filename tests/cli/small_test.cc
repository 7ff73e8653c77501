// Every command from end to end with a model of a few hundred kilobytes, so that a checkout alone
// shows whether they work together. What the genuine models say is tested where these are.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/run_program.h"
#include "cli/small_model.h"

namespace whisper_s4y {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

const std::string kRecording = (source_dir() / "examples" / "jfk.flac").string();

class Small : public ::testing::Test {
 protected:
  /// Runs the program, which must succeed.
  static std::string run(const std::vector<std::string>& arguments) {
    const ProgramResult result = run_program(arguments);
    EXPECT_EQ(result.exit_code, 0) << arguments[0] << ": " << result.err;
    return result.out;
  }

  TemporaryFolder folder_;
};

TEST_F(Small, ConvertsVerifiesAndShowsEveryFormat) {
  for (const char* format : {"none", "fp16", "int8", "mixed", "int4"}) {
    SCOPED_TRACE(format);
    const std::string model = folder_.file(std::string(format) + ".tflite");
    run({"convert", small_checkpoint(), "-o", model, "--quantize", format});
    EXPECT_THAT(run({"verify", model}), HasSubstr("signature step runs, every number is finite"));
    const auto json = nlohmann::json::parse(run({"inspect", model, "--json"}));
    EXPECT_FALSE(json.at("signatures").empty());
    run({"transcribe", model, kRecording, "--no-cache", "-q", "--max-new-tokens", "5"});
  }
  run({"verify", folder_.file("none.tflite"), "--against", small_checkpoint()});
}

TEST_F(Small, VerifyMissesWhatItComparesWithBeforeAnythingRuns) {
  const std::vector<std::string> cases[] = {
      {"--against", small_checkpoint(), "--audio", "no-such.wav"}, {"--against", "no-such.tflite"}};
  for (std::vector<std::string> arguments : cases) {
    arguments.insert(arguments.begin(), {"verify", small_model()});
    const ProgramResult result = run_program(arguments);
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_EQ(result.out, "");
    EXPECT_THAT(result.err, HasSubstr("no-such."));
  }
}

TEST_F(Small, ConvertsParts) {
  run({"convert", small_checkpoint(), "-o", folder_.file("parts"), "--part", "all"});
  for (const std::string part : {"encoder", "decoder", "generator"}) {
    EXPECT_THAT(run({"inspect", folder_.file("parts/" + part + ".tflite")}),
                HasSubstr("serving_default"));
  }
}

TEST_F(Small, ExportsWhatCanBeReadAgain) {
  for (const char* format : {"safetensors", "ggml", "ctranslate2"}) {
    SCOPED_TRACE(format);
    const std::string copy = folder_.file(format);
    run({"export", small_checkpoint(), "-f", format, "-o", copy});
    const auto hash = [](const std::string& path) {
      return nlohmann::json::parse(run({"inspect", path, "--json"})).at("weights_hash");
    };
    const fs::path first = fs::directory_iterator(copy)->path();
    EXPECT_EQ(hash(std::string(format) == "ggml" ? first.string() : copy),
              hash(small_checkpoint()));
  }
}

TEST_F(Small, WritesEveryFormat) {
  run({"transcribe", small_model(), kRecording, "--no-cache", "-q", "-f", "all", "-o",
       folder_.file("out"), "--word-timestamps", "--max-line-width", "30"});
  for (const char* ending : {"txt", "srt", "vtt", "tsv", "lrc", "csv"}) {
    EXPECT_TRUE(fs::exists(folder_.file(std::string("out/jfk.") + ending))) << ending;
  }
  const auto json = nlohmann::json::parse(read_file(folder_.file("out/jfk.json")));
  EXPECT_TRUE(json.contains("segments"));
  EXPECT_THAT(read_file(folder_.file("out/jfk.vtt")), StartsWith("WEBVTT"));
}

TEST_F(Small, TranscribesInEveryWay) {
  const std::vector<std::string> simple = {"transcribe", small_model(),      kRecording, "-q",
                                           "--no-cache", "--max-new-tokens", "8"};
  for (const std::vector<std::string>& how :
       {std::vector<std::string>{"--vad"},
        {"--batched"},
        {"--beam-size", "3", "--patience", "2"},
        {"--temperature", "0.5", "--best-of", "2", "--seed", "3"},
        {"--initial-prompt", "words", "--carry-initial-prompt"},
        {"--clip-timestamps", "1,2,5,6"},
        {"--multilingual"},
        {"--task", "translate", "--language", "de"}}) {
    std::vector<std::string> arguments = simple;
    arguments.insert(arguments.end(), how.begin(), how.end());
    SCOPED_TRACE(how[0]);
    // The same in every run, sampled or not.
    EXPECT_EQ(run(arguments), run(arguments));
  }
}

TEST_F(Small, MeasuresErrors) {
  write_file(folder_ / "list.tsv", "file\treference\n" + kRecording + "\tsome words\n");
  const auto json = nlohmann::json::parse(run({"evaluate", small_model(), folder_.file("list.tsv"),
                                               "--json", "-q", "--no-cache", "--language", "en"}));
  EXPECT_EQ(json.at("total").at("words").at("reference"), 2);
}

TEST_F(Small, WritesFeatures) {
  run({"features", kRecording, "-o", folder_.file("made.npy")});
  run({"features", kRecording, "-o", folder_.file("models.npy"), "--model", small_model()});
  EXPECT_EQ(read_file(folder_ / "made.npy"), read_file(folder_ / "models.npy"));
}

}  // namespace
}  // namespace whisper_s4y
