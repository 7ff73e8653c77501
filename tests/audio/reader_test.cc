// Recordings that are decoded as far as they are read.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <thread>

#include "test_files.h"
#include "whisper_s4y/audio.h"
#include "whisper_s4y/error.h"

namespace whisper_s4y {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::vector<float> rest_of(AudioReader& reader, size_t at_once = 1000) {
  std::vector<float> all;
  std::vector<float> some(at_once);
  while (const size_t count = reader.read(some)) {
    all.insert(all.end(), some.begin(), some.begin() + static_cast<ptrdiff_t>(count));
  }
  return all;
}

// 0.25 on the left, -0.5 on the right.
std::vector<float> stereo(size_t samples) {
  std::vector<float> both;
  for (size_t i = 0; i < samples; ++i) both.insert(both.end(), {0.25F, -0.5F});
  return both;
}

TEST(AudioReader, GivesWhatLoadAudioGives) {
  if (!have_ffmpeg()) GTEST_SKIP() << "needs ffmpeg";
  const TemporaryFolder folder;
  write_wav(folder / "a.wav", 44100, 1, sine(440, 44100, 3));
  ffmpeg("-itsoffset 2 -i " + folder.file("a.wav") + " " + folder.file("late.mp4"));
  for (const char* name : {"a.wav", "late.mp4"}) {
    const std::vector<float> all = load_audio(folder / name);
    for (const size_t at_once : {1, 999, 1 << 20}) {
      AudioReader reader(folder / name);
      EXPECT_EQ(rest_of(reader, at_once), all) << name;
      EXPECT_EQ(reader.source().samples, static_cast<int64_t>(all.size()));
    }
  }
}

TEST(AudioReader, ReadsFromTheBeginningAgain) {
  const TemporaryFolder folder;
  write_wav(folder / "a.wav", 16000, 1, sine(440, 16000, 2));
  const auto bytes = read_bytes(folder / "a.wav");
  const auto expect_again = [](AudioReader reader) {
    ASSERT_TRUE(reader.can_rewind());
    EXPECT_DOUBLE_EQ(reader.stated_seconds(), 2);
    std::vector<float> some(777);
    EXPECT_EQ(reader.read(some), 777U);
    reader.rewind();
    const auto all = rest_of(reader);
    EXPECT_THAT(all, SizeIs(32000));
    reader.rewind();
    EXPECT_EQ(rest_of(reader), all);
  };
  expect_again(AudioReader(folder / "a.wav"));
  expect_again(AudioReader(std::as_bytes(std::span(bytes)), "upload"));
}

TEST(AudioReader, TellsWhatWasLostAtTheEnd) {
  const TemporaryFolder folder;
  write_wav(folder / "a.wav", 16000, 1, sine(440, 16000, 2));
  auto bytes = read_bytes(folder / "a.wav");
  bytes.resize(bytes.size() / 2);
  write_bytes(folder / "a.wav", bytes);
  AudioReader reader(folder / "a.wav");
  EXPECT_THAT(reader.source().warnings, IsEmpty());
  (void)rest_of(reader);
  EXPECT_THAT(reader.source().warnings, Contains(HasSubstr("should last 2.0 s")));
}

TEST(AudioReader, GivesEachChannelAfterTheOther) {
  const TemporaryFolder folder;
  write_wav(folder / "a.wav", 16000, 2, stereo(1000));
  AudioReader reader(folder / "a.wav", {.channel = "each"});
  EXPECT_THAT(reader.channels(), ElementsAre("left", "right"));
  EXPECT_EQ(rest_of(reader), std::vector<float>(1000, 0.25F));
  ASSERT_TRUE(reader.next_channel());
  EXPECT_EQ(rest_of(reader), std::vector<float>(1000, -0.5F));
  EXPECT_FALSE(reader.next_channel());
  EXPECT_THAT(AudioReader(folder / "a.wav").channels(), ElementsAre(""));
  EXPECT_THAT(AudioReader(folder / "a.wav", {.channel = "2"}).channels(), ElementsAre("right"));
  EXPECT_THROW(AudioReader(folder / "a.wav", {.channel = "3"}), Error);
}

class Pipe : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(::pipe(heard_), 0);
    ASSERT_EQ(::mkfifo((folder_ / "pipe").c_str(), 0600), 0);
    write_wav(folder_ / "a.wav", 16000, 2, stereo(100'000));
    bytes_ = read_bytes(folder_ / "a.wav");
  }

  void TearDown() override {
    ::close(heard_[0]);
    ::close(heard_[1]);
  }

  TemporaryFolder folder_;
  std::vector<uint8_t> bytes_;
  int heard_[2] = {};  // through which the writer is told to go on
};

TEST_F(Pipe, IsReadWhileItFlows) {
  std::thread writer([&] {
    const int pipe = ::open((folder_ / "pipe").c_str(), O_WRONLY);
    const size_t half = bytes_.size() / 2;
    EXPECT_EQ(::write(pipe, bytes_.data(), half), static_cast<ssize_t>(half));
    // Until the first half was read.
    int heard = 0;
    EXPECT_EQ(::read(heard_[0], &heard, 1), 1);
    EXPECT_EQ(::write(pipe, bytes_.data() + half, bytes_.size() - half),
              static_cast<ssize_t>(bytes_.size() - half));
    ::close(pipe);
  });
  AudioReader reader(folder_ / "pipe", {.channel = "left"});
  std::vector<float> some(1000);
  for (int i = 0; i < 40; ++i) EXPECT_GT(reader.read(some), 0U);
  EXPECT_EQ(::write(heard_[1], "!", 1), 1);
  (void)rest_of(reader);
  writer.join();
  EXPECT_EQ(reader.source().samples, 100'000);
  EXPECT_FALSE(reader.can_rewind());
  EXPECT_THROW(reader.rewind(), Error);
}

TEST_F(Pipe, KeepsTheChannelsThatComeLater) {
  std::thread writer([&] {
    const int pipe = ::open((folder_ / "pipe").c_str(), O_WRONLY);
    EXPECT_EQ(::write(pipe, bytes_.data(), bytes_.size()), static_cast<ssize_t>(bytes_.size()));
    ::close(pipe);
  });
  AudioReader reader(folder_ / "pipe", {.channel = "each"});
  std::vector<float> some(1000);
  EXPECT_GT(reader.read(some), 0U);  // not all of the first one
  ASSERT_TRUE(reader.next_channel());
  writer.join();
  EXPECT_EQ(rest_of(reader), std::vector<float>(100'000, -0.5F));
  ASSERT_TRUE(reader.can_rewind());
  reader.rewind();
  EXPECT_THAT(rest_of(reader), SizeIs(100'000));
  EXPECT_EQ(reader.source().samples, 100'000);
  EXPECT_FALSE(reader.next_channel());
}

}  // namespace
}  // namespace whisper_s4y
