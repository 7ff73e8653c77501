// The program where it cannot say what it has to say, or not read what it is given.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "cli/run_program.h"
#include "cli/small_model.h"

namespace whisper_s4y {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

const std::string kRecording = (source_dir() / "examples" / "jfk.flac").string();

/// With a model that runs in no time and gives random text.
class Robust : public ::testing::Test {
 protected:
  static ProgramResult transcribe(std::vector<std::string> arguments, ProgramOptions how = {}) {
    arguments.insert(arguments.begin(), {"transcribe", small_model(), "--no-cache", "--language",
                                         "en", "--temperature-increment-on-fallback", "0"});
    return run_program(arguments, how);
  }
  std::string out() const { return folder_.file("out"); }
  std::vector<std::string> outputs() const {
    std::vector<std::string> names;
    if (!fs::exists(out())) return names;
    for (const auto& entry : fs::directory_iterator(out())) {
      names.push_back(entry.path().filename().string());
    }
    std::ranges::sort(names);
    return names;
  }

  TemporaryFolder folder_;
};

TEST_F(Robust, AFullStandardErrorDoesNotEndTheRun) {
  fs::copy_file(kRecording, folder_ / "b.flac");
  const ProgramResult result = transcribe({kRecording, folder_.file("b.flac"), "-o", out()},
                                          {.standard_error = "/dev/full"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(outputs(), ElementsAre("b.txt", "jfk.txt"));
}

TEST_F(Robust, ClosedDescriptorsDoNotEndTheRun) {
  for (const std::vector<int>& closed :
       std::vector<std::vector<int>>{{2}, {1}, {0}, {0, 1}, {1, 2}, {0, 1, 2}}) {
    fs::remove_all(out());
    const ProgramResult result =
        transcribe({kRecording, "-o", out(), "-f", "json"}, {.closed = closed});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    ASSERT_THAT(outputs(), ElementsAre("jfk.json"));
    // No message got into the file in place of a closed descriptor.
    EXPECT_THAT(read_file(out() + "/jfk.json"), StartsWith("{"));
  }
}

TEST_F(Robust, AFailureIsAFailureWithoutAStandardErrorToo) {
  for (const ProgramOptions& how :
       {ProgramOptions{.standard_error = "/dev/full"}, ProgramOptions{.closed = {2}}}) {
    EXPECT_EQ(transcribe({"/no/such/file.wav"}, how).exit_code, 1);
    EXPECT_EQ(run_program({"transmogrify"}, how).exit_code, 2);
  }
}

TEST_F(Robust, AClosedStandardOutputThatIsNeededIsAnError) {
  const ProgramResult result = run_program({"--help"}, {.closed = {1}});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("Cannot write to the standard output: Bad file descriptor."));
  const ProgramResult text = transcribe({kRecording, "-q", "-f", "json"}, {.closed = {1}});
  EXPECT_EQ(text.exit_code, 1);
  EXPECT_THAT(text.err, HasSubstr("Cannot write to the standard output"));
}

TEST_F(Robust, AClosedStandardInputThatIsNeededIsAnError) {
  const ProgramResult result = transcribe({"-", "-q"}, {.closed = {0}});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("standard input"));
}

TEST_F(Robust, AFullStandardOutputIsAnError) {
  for (const char* format : {"txt", "json", "srt"}) {
    const ProgramResult result =
        transcribe({kRecording, "-q", "-f", format}, {.standard_output = "/dev/full"});
    EXPECT_EQ(result.exit_code, 1) << format;
    EXPECT_THAT(result.err, HasSubstr("Cannot write to the standard output: No space left"));
  }
}

TEST_F(Robust, AFullDiskLeavesNoHalfFile) {
  const ProgramResult result =
      transcribe({kRecording, "-q", "-f", "json", "-o", out()}, {.file_size_limit = 16});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(outputs(), IsEmpty());
}

TEST_F(Robust, AFolderThatCannotBeEnteredIsReported) {
  fs::create_directories(folder_ / "rec/locked");
  fs::copy_file(kRecording, folder_ / "rec/a.flac");
  fs::permissions(folder_ / "rec/locked", fs::perms::none);
  const ProgramResult result =
      transcribe({folder_.file("rec"), "-o", out()}, {.unprivileged = true});
  fs::permissions(folder_ / "rec/locked", fs::perms::all);
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("Cannot read the folder " + folder_.file("rec/locked") +
                                    ": Permission denied."));
  EXPECT_THAT(outputs(), ElementsAre("a.txt"));
}

TEST_F(Robust, ReadsTablesAsExcelWritesThem) {
  fs::copy_file(kRecording, folder_ / "a, b.flac");
  write_file(folder_ / "list.tsv",
             "\xEF\xBB\xBF"
             "file\treference\r\n\"a, b.flac\"\tsome \"text\"\r\n\r\n");
  const std::vector<std::string> evaluate = {"evaluate", small_model(), folder_.file("list.tsv"),
                                             "-q",       "--no-cache",  "--json"};
  const ProgramResult result = run_program(evaluate);
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("a, b.flac"));
  EXPECT_THAT(result.out, HasSubstr(R"("reference": "some \"text\"")"));

  write_file(folder_ / "list.tsv", std::string("\xFF\xFE"
                                               "f\0i\0",
                                               6));
  EXPECT_THAT(run_program(evaluate).err, HasSubstr("is UTF-16 text; save it as UTF-8"));
  write_file(folder_ / "list.tsv", "file;reference\na.flac;text\n");
  EXPECT_THAT(run_program(evaluate).err, HasSubstr("not commas or semicolons"));
}

TEST_F(Robust, WrongOptionsAreUsageAndNothingIsRead) {
  for (const std::vector<std::string>& options : std::vector<std::vector<std::string>>{
           {"--patience", "1e30", "--beam-size", "5"},
           {"--patience", "2"},
           {"--temperature-increment-on-fallback", "1e-12"},
           {"--temperature-increment-on-fallback", "nan"},
           {"--temperature", "inf"},
           {"--temperature", "-1"},
           {"--best-of", "0"},
           {"--beam-size", "1000000000"},
           {"--seed", "-1"},
           {"--max-new-tokens", "0"},
           {"--length-penalty", "nan"},
           {"--no-speech-threshold", "inf"},
           {"--logprob-threshold", "nan"},
           {"--compression-ratio-threshold", "-1"},
           {"--repetition-penalty", "0"},
           {"--no-repeat-ngram-size", "-2"},
           {"--clip-timestamps", "0,inf"},
           {"--clip-timestamps", "nan"},
           {"--clip-timestamps", "5,3"},
           {"--hallucination-silence-threshold", "nan", "--word-timestamps"},
           {"--batch-size", "0", "--batched"},
           {"--batch-size", "100000", "--batched"},
           {"--batch-size", "2"},
           {"--threads", "-1"},
           {"--threads", "99999999999"},
           {"--jobs", "0"},
           {"--vad", "--vad-threshold", "nan"},
           {"--vad", "--vad-speech-pad-ms", "-5"},
           {"--vad", "--vad-min-silence-duration-ms", "2147483647"},
           {"--vad", "--vad-max-speech-duration-s", "nan"},
           {"--max-line-width", "0", "--word-timestamps"},
           {"--max-line-width", "40"},
           {"--pcm-rate", "-5"},
           {"--pcm-channels", "0", "--pcm-rate", "8000"},
           {"--language", "martian"},
           {"--hotwords", "a", "--prefix", "b"},
       }) {
    std::vector<std::string> arguments = {"transcribe", "/no/model", "/no/recording"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    const ProgramResult result = run_program(arguments);
    const std::string all = ::testing::PrintToString(options);
    EXPECT_EQ(result.exit_code, 2) << all << result.err;
    EXPECT_THAT(result.err, StartsWith("whisper-s4y: ")) << all;
    EXPECT_THAT(result.err, HasSubstr(options[options[0] == "--vad" ? 1 : 0])) << all;
    EXPECT_THAT(result.err, Not(HasSubstr("/no/"))) << all;
  }
  EXPECT_EQ(run_program({"listen", "/no/model", "-", "--update-interval", "nan"}).exit_code, 2);
  EXPECT_EQ(run_program({"evaluate", "/no/model", "/no/list", "--best-of", "0"}).exit_code, 2);
  EXPECT_EQ(run_program({"convert", "/no/such", "-o", "/no/x", "--max-length", "0"}).exit_code, 2);
}

TEST_F(Robust, ConvertWritesThroughALink) {
  fs::create_directories(folder_ / "disk");
  fs::create_symlink(folder_ / "disk/model.tflite", folder_ / "link.tflite");
  for (int time = 0; time < 2; ++time) {  // to nothing, and to a file
    const ProgramResult result =
        run_program({"convert", small_checkpoint(), "-o", folder_.file("link.tflite"), "-q"});
    ASSERT_EQ(result.exit_code, 0) << result.err;
    EXPECT_TRUE(fs::is_symlink(folder_ / "link.tflite"));
    EXPECT_EQ(run_program({"inspect", folder_.file("disk/model.tflite")}).exit_code, 0);
  }
}

TEST_F(Robust, AModelThatFailsItsCheckLeavesTheFormerOne) {
  write_file(folder_ / "model.tflite", "former");
  const ProgramResult result =
      run_program({"convert", overflowing_checkpoint(), "-o", folder_.file("model.tflite"), "-q"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr(folder_.file("model.tflite") + ": number "));
  EXPECT_EQ(read_file(folder_ / "model.tflite"), "former");
  EXPECT_THAT(folder_.names(), ElementsAre("model.tflite"));
  // What is not asked for is not checked.
  EXPECT_EQ(run_program({"convert", overflowing_checkpoint(), "-o", folder_.file("model.tflite"),
                         "-q", "--no-verify"})
                .exit_code,
            0);
  EXPECT_NE(read_file(folder_ / "model.tflite"), "former");
}

TEST_F(Robust, TranscriptsAreWrittenThroughLinks) {
  fs::create_directories(out());
  fs::create_symlink(folder_ / "elsewhere.txt", out() + "/jfk.txt");
  ASSERT_EQ(transcribe({kRecording, "-o", out()}).exit_code, 0);
  EXPECT_TRUE(fs::is_symlink(out() + "/jfk.txt"));
  EXPECT_TRUE(fs::exists(folder_ / "elsewhere.txt"));
}

}  // namespace
}  // namespace whisper_s4y
