#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/run_program.h"

namespace whisper_s4y {
namespace {

using ::testing::HasSubstr;

class Evaluate : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto checkpoint = genuine_checkpoint("tiny.en/ct2");
    if (checkpoint.empty()) GTEST_SKIP() << "needs WHISPER_S4Y_CHECKPOINTS";
    ASSERT_EQ(run_program({"convert", checkpoint.string(), "-o", model(), "-q"}).exit_code, 0);
    const std::string jfk = (source_dir() / "examples" / "jfk.flac").string();
    write_file(manifest(),
               "file\tset\tlang\treference\n" +
                   // Spelling, capitals and punctuation do not count.
                   jfk + "\tright\ten\tAnd so, my fellow Americans: ask not what your country " +
                   "can do for you. Ask what you can do for your country!\n" +
                   // One word exchanged, one left out, one put in, of 21.
                   jfk + "\twrong\ten\tand so my mellow americans ask not what your very country " +
                   "can do for you ask what can do for your country\n" +  //
                   jfk + "\tright\tde\tund so\n");
  }

  std::string model() const { return folder_.file("tiny.en.tflite"); }
  std::string manifest() const { return folder_.file("recordings.tsv"); }
  ProgramResult evaluate(const std::vector<std::string>& further) const {
    std::vector<std::string> arguments = {"evaluate", model(), manifest(), "-q", "--no-cache"};
    arguments.insert(arguments.end(), further.begin(), further.end());
    return run_program(arguments);
  }

 private:
  TemporaryFolder folder_;
};

TEST_F(Evaluate, JsonHasEveryRecordingItsGroupAndTheSum) {
  const ProgramResult result = evaluate({"--json"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const auto json = nlohmann::json::parse(result.out);
  ASSERT_EQ(json.at("recordings").size(), 2U);
  EXPECT_EQ(json.at("skipped"), 1);  // German, for an English-only model

  const auto& right = json.at("recordings").at(0);
  EXPECT_THAT(right.at("file").get<std::string>(), HasSubstr("jfk.flac"));
  EXPECT_THAT(right.at("reference").get<std::string>(), HasSubstr("Americans: ask"));
  EXPECT_THAT(right.at("hypothesis").get<std::string>(), HasSubstr("fellow americans"));
  EXPECT_EQ(right.at("words").at("rate"), 0.0);
  EXPECT_EQ(right.at("words").at("reference"), 22);

  const auto& wrong = json.at("recordings").at(1).at("words");
  EXPECT_EQ(wrong.at("substitutions"), 1);
  EXPECT_EQ(wrong.at("deletions"), 1);
  EXPECT_EQ(wrong.at("insertions"), 1);
  EXPECT_EQ(wrong.at("reference"), 22);
  EXPECT_DOUBLE_EQ(wrong.at("rate").get<double>(), 3.0 / 22);

  EXPECT_EQ(json.at("groups").at("wrong en").at("recordings"), 1);
  EXPECT_DOUBLE_EQ(json.at("total").at("words").at("rate").get<double>(), 3.0 / 44);
  EXPECT_NEAR(json.at("total").at("audio_seconds").get<double>(), 22, 0.01);
}

TEST_F(Evaluate, PrintsATable) {
  const ProgramResult result = evaluate({});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("right en"));
  EXPECT_THAT(result.out, HasSubstr("13.64"));  // % of the wrong one
  EXPECT_THAT(result.out, HasSubstr("6.82"));   // of both
  EXPECT_THAT(result.out, HasSubstr("1 recordings in other languages were left out"));
}

}  // namespace
}  // namespace whisper_s4y
