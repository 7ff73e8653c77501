#include "cli/recordings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "support/files.h"

namespace whisper_s4y {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class RecordingsTest : public ::testing::Test {
 protected:
  RecordingsTest() {
    fs::create_directories(folder_ / "talks/2024");
    for (const char* name : {"talks/b.mp3", "talks/a.WAV", "talks/notes.txt", "talks/2024/c.m4a"}) {
      write_file(folder_ / name, "x");
    }
  }

  // Paths relative to the folder, each with its subfolder.
  std::vector<std::string> found(const std::vector<std::string>& arguments) {
    const Recordings recordings = find_recordings(arguments);
    problems_ = recordings.problems;
    std::vector<std::string> result;
    for (const Recording& recording : recordings.found) {
      result.push_back(recording.path.lexically_relative(folder_.path()).string() + " in " +
                       recording.subfolder.string());
    }
    return result;
  }

  TemporaryFolder folder_;
  std::vector<std::string> problems_;
};

TEST_F(RecordingsTest, AFolderStandsForItsRecordings) {
  EXPECT_THAT(found({folder_.file("talks")}),
              ElementsAre("talks/2024/c.m4a in 2024", "talks/a.WAV in ", "talks/b.mp3 in "));
  EXPECT_THAT(problems_, IsEmpty());
}

TEST_F(RecordingsTest, NamesOfOutputsAreLikeTheRecordingsAndDiffer) {
  write_file(folder_ / "talks/b.wav", "x");
  std::vector<std::string> outputs;
  for (const Recording& recording :
       find_recordings({folder_.file("talks"), "-", folder_.file("c.m4a")}).found) {
    outputs.push_back((recording.subfolder / recording.output).string());
  }
  EXPECT_THAT(outputs, ElementsAre("2024/c", "a", "b.mp3", "b.wav", "stdin", "c"));
  write_file(folder_ / "talks/b.mp3.wav", "x");
  outputs.clear();
  for (const Recording& recording : find_recordings({folder_.file("talks/b*")}).found) {
    outputs.push_back(recording.output);
  }
  EXPECT_THAT(outputs, ElementsAre("b.mp3", "b.mp3.wav", "b.wav"));
}

TEST_F(RecordingsTest, APatternStandsForWhatItMatches) {
  EXPECT_THAT(found({folder_.file("talks/*.mp3"), folder_.file("talks/[a]*")}),
              ElementsAre("talks/b.mp3 in ", "talks/a.WAV in "));
  EXPECT_THAT(found({folder_.file("*.mp3")}), IsEmpty());
  EXPECT_THAT(problems_, ElementsAre(HasSubstr("No file is named like")));
}

TEST_F(RecordingsTest, AFileStandsForItself) {
  EXPECT_THAT(found({folder_.file("talks/notes.txt"), folder_.file("missing.wav")}),
              ElementsAre("talks/notes.txt in ", "missing.wav in "));
  write_file(folder_ / "what?.mp3", "x");
  EXPECT_THAT(found({folder_.file("what?.mp3")}), ElementsAre("what?.mp3 in "));
  EXPECT_EQ(find_recordings({"-"}).found.at(0).path, "-");
}

TEST_F(RecordingsTest, TheSameFileCountsOnce) {
  EXPECT_THAT(found({folder_.file("talks/b.mp3"), folder_.file("talks/*.mp3")}),
              ElementsAre("talks/b.mp3 in "));
}

TEST_F(RecordingsTest, AFolderWithoutRecordingsIsAProblem) {
  fs::create_directory(folder_ / "empty");
  EXPECT_THAT(found({folder_.file("empty")}), IsEmpty());
  EXPECT_THAT(problems_, ElementsAre(HasSubstr("holds no file")));
}

TEST_F(RecordingsTest, IsDoneWhenAllOutputsAreNoOlder) {
  const fs::path recording = folder_ / "talks/b.mp3";
  write_file(folder_ / "b.txt", "text");
  const auto now = fs::last_write_time(recording);
  fs::last_write_time(folder_ / "b.txt", now);
  EXPECT_TRUE(is_done(recording, {folder_ / "b.txt"}));
  EXPECT_FALSE(is_done(recording, {folder_ / "b.txt", folder_ / "b.srt"}));
  fs::last_write_time(folder_ / "b.txt", now - std::chrono::seconds(5));
  EXPECT_FALSE(is_done(recording, {folder_ / "b.txt"}));
  EXPECT_FALSE(is_done("-", {folder_ / "b.txt"}));
}

}  // namespace
}  // namespace whisper_s4y
