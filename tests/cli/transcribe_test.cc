#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "cli/run_program.h"
#include "whisper_s4y/audio.h"

namespace whisper_s4y {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Eq;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::Ne;
using ::testing::Not;
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
  EXPECT_EQ(result.out, kRecording.string() + ":\n" + kText) << "whose text it is";
  EXPECT_THAT(result.err, AllOf(HasSubstr("missing.wav"), HasSubstr("noise.wav")));
}

TEST_F(Transcribe, TakesFoldersSeveralAtATimeAndSkipsWhatIsDone) {
  fs::create_directories(folder_ / "in/sub");
  fs::copy(kRecording, folder_ / "in/a.flac");
  fs::copy(kRecording, folder_ / "in/sub/a.flac");
  write_file(folder_.file("in/notes.md"), "no recording");
  write_file(folder_.file("in/bad.wav"), "no sound");
  const std::vector<std::string> arguments = {
      folder_.file("in"), "-o", folder_.file("out"), "-f", "txt,srt", "--jobs", "2", "--resume"};
  ProgramResult result = transcribe(arguments);
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err,
              AllOf(HasSubstr("bad.wav"), HasSubstr("2 transcribed, 0 done before, 1 failed.")));
  EXPECT_EQ(read_file(folder_.file("out/a.txt")), kText);
  EXPECT_EQ(read_file(folder_.file("out/sub/a.txt")), kText);

  fs::remove(folder_ / "in/bad.wav");
  fs::remove(folder_ / "out/sub/a.srt");  // one of two outputs is not enough
  result = transcribe(arguments);
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.err, HasSubstr("1 transcribed, 1 done before, 0 failed."));
  EXPECT_TRUE(fs::exists(folder_ / "out/sub/a.srt"));
}

TEST_F(Transcribe, ReadsRawPcmFromStandardInput) {
  std::string pcm;
  for (const float sample : load_audio(kRecording)) {
    const auto value = static_cast<int16_t>(std::lround(sample * 32768.0F));
    pcm += static_cast<char>(value & 0xFF);
    pcm += static_cast<char>(value >> 8);
  }
  ProgramResult result = run_program({"transcribe", model(), "-", "--pcm-rate", "16000", "-q"},
                                     {.environment = {{"XDG_CACHE_HOME", folder_.file("cache")}},
                                      .standard_input = pcm,
                                      .standard_output = {},
                                      .interrupt_after_ms = 0});
  EXPECT_EQ(result.out, kText) << result.err;

  result = run_program({"listen", model(), "-", "--times"},
                       {.environment = {{"XDG_CACHE_HOME", folder_.file("cache")}},
                        .standard_input = pcm,
                        .standard_output = {},
                        .interrupt_after_ms = 0});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out,
              AllOf(StartsWith("[00:00."), HasSubstr("what you can do for your country")));
  EXPECT_THAT(result.err, HasSubstr("11.0 s of sound"));
}

TEST_F(Transcribe, LeavesSilenceOut) {
  const ProgramResult result = transcribe({kRecording.string(), "--vad", "--batched"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("fellow Americans"));
  const ProgramResult deaf =
      transcribe({kRecording.string(), "--vad", "--vad-min-speech-duration-ms", "60000"});
  EXPECT_THAT(deaf.out, IsEmpty());
  EXPECT_THAT(deaf.err, HasSubstr("language"));
}

TEST_F(Transcribe, OptionsShowInTheText) {
  const struct {
    std::vector<std::string> arguments;
    ::testing::Matcher<std::string> expected;
  } cases[] = {
      {{"--hotwords", "ASK NOT"}, HasSubstr("ask NOT")},
      {{"--initial-prompt", "and so my fellow americans"},
       StartsWith("and so my fellow americans")},
      {{"--prefix", "Well then, my fellow"}, StartsWith("Well then, my fellow")},
      {{"--clip-timestamps", "3,8"},
       AllOf(HasSubstr("what your country"), Not(HasSubstr("Americans")))},
      {{"--repetition-penalty", "2"}, AllOf(HasSubstr("Americans"), Ne(kText))},
      {{"--no-repeat-ngram-size", "3"},
       AllOf(HasSubstr("Americans"),
             Not(MatchesRegex("(.|\n)*can do for (.|\n)*can do for(.|\n)*")))},
      {{"--suppress-tokens", "-1,843"}, Not(StartsWith("And"))},  // 843 is " And"
      {{"--max-new-tokens", "5"}, Eq("And so my fellow\n")},
      {{"--without-timestamps"}, MatchesRegex("And so[^\n]*\n")},  // one segment
      {{"--beam-size", "5"}, AllOf(HasSubstr("fellow Americans"), Ne(kText))},
      {{"--no-speech-threshold", "0", "--logprob-threshold", "none"}, IsEmpty()},
      {{"--logprob-threshold", "0", "--temperature-increment-on-fallback", "1", "-f", "json"},
       HasSubstr("\"temperature\": 1.0")},
      {{"--compression-ratio-threshold", "0.5", "--temperature-increment-on-fallback", "1", "-f",
        "json"},
       HasSubstr("\"temperature\": 1.0")},
      {{"--vad", "--vad-threshold", "0.999"},
       AllOf(HasSubstr("country"), Not(StartsWith("And so")))},
      {{"--vad", "--vad-max-speech-duration-s", "2", "--vad-speech-pad-ms", "0"},
       AllOf(HasSubstr("country"), Ne(kText))},
  };
  for (const auto& [arguments, expected] : cases) {
    std::vector<std::string> all = {kRecording.string(), "-q"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    const ProgramResult result = transcribe(all);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_THAT(result.out, expected) << arguments.front();
  }
}

TEST_F(Transcribe, PatienceWaitsForFurtherBeams) {
  const std::vector<std::string> beams = {kRecording.string(), "-q", "--beam-size", "5"};
  auto hasty = beams;
  hasty.insert(hasty.end(), {"--patience", "0.2"});  // the first beam that ends
  const ProgramResult first = transcribe(hasty);
  EXPECT_THAT(first.out, HasSubstr("fellow Americans"));
  EXPECT_NE(first.out, transcribe(beams).out);
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
      {{"--jobs", "2"}, 2, "needs a folder"},
      {{"--resume"}, 2, "needs a folder"},
      {{"--pcm-format", "f32le"}, 2, "--pcm-rate"},
      {{"--batch-size", "2"}, 2, "--batch-size needs --batched"},
      {{"--vad-threshold", "0.4"}, 2, "need --vad or --batched"},
      {{"--no-speech-threshold", "high"}, 2, "expected a number or none"},
      {{"--threads", "-1"}, 2, "--threads"},
      {{"--max-line-width", "40"}, 2, "--max-line-width needs --word-timestamps"},
      {{"--temperature", "-1"}, 2, "--temperature"},
      {{"--language", "de"}, 1, "English"},
      {{"--patience", "2"}, 2, "--patience needs --beam-size"},
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
  const ProgramResult result = transcribe({"a/talk.wav", "b/talk.wav", "-o", folder_.file("out")});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("a/talk.wav and b/talk.wav would both be written to"));
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
