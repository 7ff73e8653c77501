// Every input that cannot be used gives one sentence that says why.
#include "whisper_s4y/error.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "test_files.h"
#include "whisper_s4y/audio.h"

namespace whisper_s4y {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string message_of(const std::filesystem::path& path, const AudioOptions& options = {}) {
  try {
    return "no error but " + std::to_string(load_audio(path, options).size()) + " samples";
  } catch (const Error& error) {
    return error.what();
  }
}

TEST(AudioErrors, MissingFile) {
  EXPECT_EQ(message_of("/no/such/file.wav"),
            "Cannot read /no/such/file.wav: No such file or directory.");
}

TEST(AudioErrors, Folder) { EXPECT_EQ(message_of("/"), "Cannot read /: it is a folder."); }

TEST(AudioErrors, Device) {
  EXPECT_EQ(message_of("/dev/zero"), "Cannot read /dev/zero: it is neither a file nor a pipe.");
}

TEST(AudioErrors, EmptyFile) {
  const TemporaryFolder folder;
  write_bytes(folder / "a.wav", {});
  EXPECT_THAT(message_of(folder / "a.wav"), HasSubstr("a.wav: the file is empty."));
  EXPECT_THROW((void)load_audio({}, "upload"), Error);
}

TEST(AudioErrors, Garbage) {
  const TemporaryFolder folder;
  std::mt19937 random(1);
  std::vector<uint8_t> bytes(5000);
  for (auto& byte : bytes) byte = static_cast<uint8_t>(random());
  write_bytes(folder / "a.wav", bytes);
  EXPECT_THAT(message_of(folder / "a.wav"),
              AllOf(StartsWith("Cannot read "), HasSubstr("not an audio or video file")));
  const std::string text = "This is a text, not a sound.\n";
  write_bytes(folder / "a.txt", {reinterpret_cast<const uint8_t*>(text.data()), text.size()});
  EXPECT_THAT(message_of(folder / "a.txt"), HasSubstr("not an audio or video file"));
}

TEST(AudioErrors, HeaderWithoutSound) {
  const TemporaryFolder folder;
  write_wav(folder / "a.wav", 16000, 1, std::span<const int16_t>());
  EXPECT_THAT(message_of(folder / "a.wav"), HasSubstr("a.wav"));
  EXPECT_THAT(message_of(folder / "a.wav"), testing::Not(StartsWith("no error")));
}

TEST(AudioErrors, VideoWithoutSound) {
  if (!have_ffmpeg()) GTEST_SKIP() << "no ffmpeg command";
  const TemporaryFolder folder;
  ffmpeg("-f lavfi -i testsrc=d=1:s=64x64 " + (folder / "v.mp4").string());
  EXPECT_THAT(message_of(folder / "v.mp4"), HasSubstr("has no audio stream, only 1 video stream."));
}

TEST(AudioErrors, NoSuchTrack) {
  const TemporaryFolder folder;
  write_wav(folder / "a.wav", 16000, 1, std::vector<int16_t>(100));
  EXPECT_THAT(message_of(folder / "a.wav", {.track = "2"}),
              HasSubstr("has no audio track 2: it has 1, counted from 1."));
  EXPECT_THAT(message_of(folder / "a.wav", {.track = "0"}), HasSubstr("counted from 1, not 0"));
  EXPECT_THAT(message_of(folder / "a.wav", {.track = "de"}),
              HasSubstr("no audio track in the language \"de\"; it has 1."));
}

TEST(AudioErrors, ImpossiblePcm) {
  const TemporaryFolder folder;
  write_bytes(folder / "a.pcm", std::vector<uint8_t>(100));
  EXPECT_THAT(message_of(folder / "a.pcm", {.pcm_rate = -5}),
              HasSubstr("pcm_rate must be 0 to 1000000, not -5"));
  EXPECT_THAT(message_of(folder / "a.pcm", {.pcm_rate = 8000, .pcm_channels = 0}),
              HasSubstr("pcm_channels must be 1 to 64, not 0"));
}

TEST(AudioErrors, NothingThatDecodes) {
  if (!have_ffmpeg()) GTEST_SKIP() << "no ffmpeg command";
  const TemporaryFolder folder;
  write_wav(folder / "a.wav", 16000, 1, sine(440, 16000, 1));
  ffmpeg("-i " + (folder / "a.wav").string() + " " + (folder / "b.mka").string());
  auto bytes = read_bytes(folder / "b.mka");
  for (size_t i = 700; i < bytes.size() - 200; ++i) bytes[i] = 0xFF;
  write_bytes(folder / "b.mka", bytes);
  EXPECT_THAT(message_of(folder / "b.mka"), testing::Not(StartsWith("no error")));
}

// Damage anywhere ends in sound or a sentence, never in a crash.
TEST(AudioErrors, SurvivesDamageAnywhere) {
  const TemporaryFolder folder;
  write_wav(folder / "a.wav", 44100, 2, std::vector<int16_t>(4000, 1000));
  std::vector<std::vector<uint8_t>> files = {read_bytes(folder / "a.wav")};
  if (have_ffmpeg()) {
    for (const char* name : {"a.flac", "a.mp3", "a.m4a", "a.opus"}) {
      ffmpeg("-i " + (folder / "a.wav").string() + " " + (folder / name).string());
      files.push_back(read_bytes(folder / name));
    }
  }
  std::mt19937 random(3);
  int refused = 0;
  for (const auto& file : files) {
    for (int round = 0; round < 40; ++round) {
      auto bytes = file;
      for (int k = 0; k < 10; ++k) bytes[random() % bytes.size()] = static_cast<uint8_t>(random());
      if (round % 4 == 0) bytes.resize(1 + random() % bytes.size());
      try {
        for (const float sample : load_audio(std::as_bytes(std::span(bytes)), "damaged")) {
          ASSERT_LE(std::abs(sample), 1.0F);
        }
      } catch (const Error& error) {
        ++refused;
        EXPECT_TRUE(std::string_view(error.what()).ends_with('.')) << error.what();
      }
    }
  }
  EXPECT_GT(refused, 0);
}

}  // namespace
}  // namespace whisper_s4y
