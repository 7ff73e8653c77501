#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/run_program.h"

namespace whisper_s4y {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

const fs::path kRecording = source_dir() / "examples" / "jfk.flac";
constexpr const char* kText =
    "And so my fellow Americans ask not what your country can do for you\n"
    "ask what you can do for your country\n";

/// A model made of a genuine checkpoint, once for all tests.
class Transcribe : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    const fs::path checkpoint = genuine_checkpoint("tiny.en/ct2");
    if (checkpoint.empty()) return;
    models_ = std::make_unique<TemporaryFolder>();
    ASSERT_EQ(run_program({"convert", checkpoint.string(), "-o", model(), "-q"}).exit_code, 0);
  }
  static void TearDownTestSuite() { models_.reset(); }
  void SetUp() override {
    if (!models_) GTEST_SKIP() << "needs WHISPER_S4Y_CHECKPOINTS";
  }
  static std::string model() { return models_->file("tiny.en.tflite"); }

  static ProgramResult transcribe(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"transcribe", model()});
    // A cache of its own: tests neither find nor leave packed weights in the user's.
    return run_program(arguments, {.environment = {{"XDG_CACHE_HOME", models_->file("cache")}},
                                   .standard_input = "",
                                   .standard_output = {},
                                   .interrupt_after_ms = 0});
  }

  TemporaryFolder folder_;

 private:
  static std::unique_ptr<TemporaryFolder> models_;
};

std::unique_ptr<TemporaryFolder> Transcribe::models_;

TEST_F(Transcribe, PrintsTheText) {
  const ProgramResult result = transcribe({kRecording.string()});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.out, kText);
  EXPECT_THAT(result.err, HasSubstr("jfk.flac: 11.0 s of sound, language en, in "));
}

TEST_F(Transcribe, IsQuietWhenAsked) {
  const ProgramResult result = transcribe({kRecording.string(), "--quiet", "--no-cache"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.out, kText);
  EXPECT_THAT(result.err, IsEmpty());
}

TEST_F(Transcribe, PrintsJson) {
  const ProgramResult result = transcribe({kRecording.string(), "-f", "json", "-q"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const auto json = nlohmann::json::parse(result.out);
  EXPECT_EQ(json["segments"].size(), 2U);
  EXPECT_EQ(json["language"], "en");
}

TEST_F(Transcribe, WritesEveryFormat) {
  const ProgramResult result =
      transcribe({kRecording.string(), "-f", "all", "-o", folder_.file("new/out")});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, IsEmpty());
  EXPECT_EQ(read_file(folder_.file("new/out/jfk.txt")), kText);
  EXPECT_THAT(read_file(folder_.file("new/out/jfk.srt")), StartsWith("1\n00:00:00,000 --> "));
  for (const char* ending : {"vtt", "tsv", "json", "lrc", "csv"}) {
    EXPECT_TRUE(fs::exists(folder_.path() / "new/out" / (std::string("jfk.") + ending))) << ending;
  }
}

TEST_F(Transcribe, GoesOnAfterABadFile) {
  write_file(folder_.file("noise.wav"), "no sound");
  const ProgramResult result =
      transcribe({folder_.file("missing.wav"), folder_.file("noise.wav"), kRecording.string()});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.out, kText);
  EXPECT_THAT(result.err, AllOf(HasSubstr("missing.wav"), HasSubstr("noise.wav")));
}

TEST_F(Transcribe, RefusesOptionsThatDoNotFit) {
  const struct {
    std::vector<std::string> arguments;
    int exit_code;
    const char* message;
  } cases[] = {
      {{"-f", "docx"}, 2, "\"docx\" is not an output format"},
      {{"-f", "srt,vtt"}, 2, "several formats need a folder"},
      {{"--task", "sing"}, 2, "--task"},
      {{"--no-speech-threshold", "high"}, 2, "expected a number or none"},
      {{"--threads", "-1"}, 2, "--threads"},
      {{"--max-line-width", "40"}, 1, "need word timestamps"},
      {{"--temperature", "-1"}, 1, "A temperature"},
      {{"--language", "de"}, 1, "English"},
      {{"--patience", "2"}, 1, "patience"},
  };
  for (const auto& [arguments, exit_code, message] : cases) {
    std::vector<std::string> all = {kRecording.string()};
    all.insert(all.end(), arguments.begin(), arguments.end());
    const ProgramResult result = transcribe(all);
    EXPECT_EQ(result.exit_code, exit_code) << message;
    EXPECT_THAT(result.err, HasSubstr(message));
    EXPECT_THAT(result.out, IsEmpty());
  }
}

TEST_F(Transcribe, RefusesToWriteTwoRecordingsToOneFile) {
  const ProgramResult result = transcribe({"a/talk.wav", "b/talk.mp3", "-o", folder_.file("out")});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("a/talk.wav and b/talk.mp3 would both be written to"));
}

TEST_F(Transcribe, RefusesAFileThatIsNoBundle) {
  write_file(folder_.file("model.tflite"), "no model at all, but long enough");
  const ProgramResult result =
      run_program({"transcribe", folder_.file("model.tflite"), kRecording.string()});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("model.tflite is not a .tflite file"));
}

}  // namespace
}  // namespace whisper_s4y
