#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <limits>
#include <numeric>
#include <random>

#include "test_files.h"
#include "whisper_s4y/audio.h"
#include "whisper_s4y/error.h"

namespace whisper_s4y {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::FloatNear;
using ::testing::Pointwise;

std::vector<int16_t> noise(size_t count) {
  std::mt19937 random(7);
  std::uniform_int_distribution<int> value(-32768, 32767);
  std::vector<int16_t> samples(count);
  for (auto& sample : samples) sample = static_cast<int16_t>(value(random));
  return samples;
}

std::vector<float> over_32768(std::span<const int16_t> samples) {
  std::vector<float> out;
  for (const int16_t sample : samples) out.push_back(static_cast<float>(sample) / 32768.0F);
  return out;
}

double rms(std::span<const float> samples) {
  const double sum = std::inner_product(samples.begin(), samples.end(), samples.begin(), 0.0);
  return std::sqrt(sum / static_cast<double>(samples.size()));
}

TEST(Decode, SixteenBitMonoAt16kIsExact) {
  const TemporaryFolder folder;
  const auto samples = noise(12345);
  write_wav(folder / "a.wav", 16000, 1, samples);
  EXPECT_EQ(load_audio(folder / "a.wav"), over_32768(samples));
}

TEST(Decode, ReadsEverySampleTypeOfWav) {
  const TemporaryFolder folder;
  const auto check = [&](WavNumbers numbers, int bits, std::vector<uint8_t> data) {
    write_wav(folder / "a.wav", numbers, bits, 16000, 1, data);
    EXPECT_THAT(load_audio(folder / "a.wav"), ElementsAre(0.0F, 0.5F, -0.5F)) << bits;
  };
  check(WavNumbers::pcm, 8, {0x80, 0xC0, 0x40});
  check(WavNumbers::pcm, 24, {0, 0, 0, 0, 0, 0x40, 0, 0, 0xC0});
  check(WavNumbers::pcm, 32, {0, 0, 0, 0, 0, 0, 0, 0x40, 0, 0, 0, 0xC0});
  check(WavNumbers::ieee_float, 32, {0, 0, 0, 0, 0, 0, 0, 0x3F, 0, 0, 0, 0xBF});
  check(WavNumbers::ieee_float, 64,
        {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xE0, 0x3F, 0, 0, 0, 0, 0, 0, 0xE0, 0xBF});
}

TEST(Decode, StereoBecomesTheMeanOfBothChannels) {
  const TemporaryFolder folder;
  const std::vector<float> both = {0.5F, 0.25F, -1.0F, -0.5F, 1.0F, 1.0F};
  write_wav(folder / "a.wav", 16000, 2, both);
  const std::vector<float> mean = {0.375F, -0.75F, 1.0F};
  EXPECT_THAT(load_audio(folder / "a.wav"), Pointwise(FloatNear(1e-6F), mean));
}

TEST(Decode, MixesAnyNumberOfChannels) {
  const TemporaryFolder folder;
  for (const int channels : {1, 2, 3, 4, 5, 7, 8, 9, 12, 24, 64}) {
    const std::vector<float> samples(static_cast<size_t>(channels) * 500, 0.25F);
    write_wav(folder / "a.wav", 16000, channels, samples);
    const auto audio = load_audio(folder / "a.wav");
    EXPECT_EQ(audio.size(), 500U) << channels;
    EXPECT_THAT(audio, Each(FloatNear(0.25F, 1e-5F))) << channels;
  }
}

TEST(Decode, StaysInRangeAndTurnsNanIntoSilence) {
  const TemporaryFolder folder;
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  const std::vector<float> samples = {2.0F, -3.0F, nan, infinity, -infinity, 0.5F};
  write_wav(folder / "a.wav", 16000, 1, samples);
  EXPECT_THAT(load_audio(folder / "a.wav"), ElementsAre(1.0F, -1.0F, 0.0F, 1.0F, -1.0F, 0.5F));
}

TEST(Decode, TellsWhatItRead) {
  const TemporaryFolder folder;
  write_wav(folder / "a.wav", 48000, 2, std::vector<int16_t>(96000));
  const auto source = decode_audio(folder / "a.wav", {}, [](std::span<const float>) {});
  EXPECT_EQ(source.format, "wav");
  EXPECT_EQ(source.codec, "pcm_s16le");
  EXPECT_EQ(source.track, 1);
  EXPECT_EQ(source.sample_rate, 48000);
  EXPECT_EQ(source.channels, 2);
  EXPECT_EQ(source.samples, 16000);
  EXPECT_EQ(source.corrupt_packets, 0);
}

TEST(Decode, GivesALongFileInPieces) {
  const TemporaryFolder folder;
  write_wav(folder / "a.wav", 16000, 1, std::vector<int16_t>(16000 * 60, 16384));
  size_t largest = 0;
  const auto source = decode_audio(folder / "a.wav", {}, [&](std::span<const float> piece) {
    largest = std::max(largest, piece.size());
    EXPECT_FALSE(piece.empty());
  });
  EXPECT_EQ(source.samples, 16000 * 60);
  EXPECT_LE(largest, 16000U);
}

TEST(Decode, WhatTheSinkThrowsPassesThrough) {
  const TemporaryFolder folder;
  write_wav(folder / "a.wav", 16000, 1, std::vector<int16_t>(1000));
  EXPECT_THROW(decode_audio(folder / "a.wav", {},
                            [](std::span<const float>) { throw std::out_of_range("enough"); }),
               std::out_of_range);
}

TEST(Decode, ReadsAFileInMemory) {
  const TemporaryFolder folder;
  const auto samples = noise(5000);
  write_wav(folder / "a.wav", 16000, 1, samples);
  const auto file = read_bytes(folder / "a.wav");
  EXPECT_EQ(load_audio(std::as_bytes(std::span(file)), "upload"), over_32768(samples));
}

TEST(Decode, ReadsRawPcm) {
  const TemporaryFolder folder;
  write_bytes(folder / "a.pcm", std::vector<uint8_t>{0, 0x40, 0, 0xC0, 0, 0x20, 0, 0x20});
  EXPECT_THAT(load_audio(folder / "a.pcm", {.pcm_rate = 16000}),
              ElementsAre(0.5F, -0.5F, 0.25F, 0.25F));
  EXPECT_THAT(load_audio(folder / "a.pcm", {.pcm_rate = 16000, .pcm_channels = 2}),
              ElementsAre(FloatNear(0, 1e-6F), FloatNear(0.25F, 1e-6F)));
  write_bytes(folder / "f.pcm", std::vector<uint8_t>{0, 0, 0, 0x3F, 0, 0, 0, 0xBF});
  EXPECT_THAT(load_audio(folder / "f.pcm", {.pcm_rate = 16000, .pcm_format = PcmFormat::f32le}),
              ElementsAre(0.5F, -0.5F));
}

TEST(Decode, PathsAreNotTakenForProtocols) {
  const TemporaryFolder folder;
  write_wav(folder / "pipe:0 %d ä.wav", 16000, 1, std::vector<int16_t>(100, 16384));
  EXPECT_EQ(load_audio(folder / "pipe:0 %d ä.wav").size(), 100U);
}

/// Puts a file descriptor in the place of standard input.
class StandardInput {
 public:
  explicit StandardInput(int fd) : saved_(::dup(STDIN_FILENO)) {
    ::dup2(fd, STDIN_FILENO);
    ::close(fd);
  }
  ~StandardInput() {
    ::dup2(saved_, STDIN_FILENO);
    ::close(saved_);
  }

 private:
  int saved_;
};

TEST(Decode, DashIsStandardInput) {
  const TemporaryFolder folder;
  const auto samples = noise(3000);
  write_wav(folder / "a.wav", 16000, 1, samples);
  {
    const StandardInput file(::open((folder / "a.wav").c_str(), O_RDONLY));
    EXPECT_EQ(load_audio("-"), over_32768(samples));
  }
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const auto bytes = read_bytes(folder / "a.wav");  // fits into the pipe's buffer
  ASSERT_EQ(::write(ends[1], bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  ::close(ends[1]);
  const StandardInput pipe(ends[0]);
  EXPECT_EQ(load_audio("-"), over_32768(samples));
}

class Compressed : public ::testing::TestWithParam<const char*> {};

TEST_P(Compressed, KeepsLengthLevelAndPlace) {
  if (!have_ffmpeg()) GTEST_SKIP() << "no ffmpeg command";
  const TemporaryFolder folder;
  // Silence, then a tone from 0.5 s on: a shift in time shows.
  std::vector<float> samples(24000, 0.0F);
  const auto tone = sine(440, 48000, 1.5);
  samples.insert(samples.end(), tone.begin(), tone.end());
  write_wav(folder / "a.wav", 48000, 1, samples);
  const std::string name = std::string("b.") + GetParam();
  ffmpeg("-i " + (folder / "a.wav").string() + " " + (folder / name).string());
  const auto audio = load_audio(folder / name);
  EXPECT_NEAR(static_cast<double>(audio.size()), 32000, 700) << "2 s";
  EXPECT_LT(rms(std::span(audio).subspan(0, 7200)), 0.01);
  EXPECT_NEAR(rms(std::span(audio).subspan(8800, 16000)), 0.5 / std::numbers::sqrt2, 0.02);
}
INSTANTIATE_TEST_SUITE_P(Formats, Compressed,
                         ::testing::Values("flac", "mp3", "m4a", "ogg", "opus", "webm", "mkv",
                                           "aiff", "au", "w64", "caf", "wma"),
                         [](const auto& info) { return std::string(info.param); });

TEST(Decode, TakesTheSoundOfAVideoAndTheTrackAskedFor) {
  if (!have_ffmpeg()) GTEST_SKIP() << "no ffmpeg command";
  const TemporaryFolder folder;
  const std::string video = (folder / "v.mp4").string();
  ffmpeg(
      "-f lavfi -i testsrc=d=1:s=64x64 -f lavfi -i \"aevalsrc=0.1*sin(2000*t):d=1:s=16000\" "
      "-f lavfi -i \"aevalsrc=0.8*sin(2000*t):d=1:s=16000\" -map 0 -map 1 -map 2 "
      "-disposition:a:0 0 -disposition:a:1 default " +
      video);
  const auto level = [&](const char* track) { return rms(load_audio(video, {.track = track})); };
  EXPECT_NEAR(level("1"), 0.1 / std::numbers::sqrt2, 0.02);
  EXPECT_NEAR(level("2"), 0.8 / std::numbers::sqrt2, 0.08);
  EXPECT_EQ(level(""), level("2")) << "the default track";
  EXPECT_THROW(level("3"), Error);
}

TEST(Decode, LeavesOutDamagedPartsAndCountsThem) {
  if (!have_ffmpeg()) GTEST_SKIP() << "no ffmpeg command";
  const TemporaryFolder folder;
  write_wav(folder / "a.wav", 16000, 1, sine(440, 16000, 10));
  ffmpeg("-i " + (folder / "a.wav").string() + " " + (folder / "b.flac").string());
  auto bytes = read_bytes(folder / "b.flac");
  for (size_t i = bytes.size() / 2; i < bytes.size() / 2 + 3000; ++i) bytes[i] ^= 0x5A;
  write_bytes(folder / "b.flac", bytes);
  const auto source = decode_audio(folder / "b.flac", {}, [](std::span<const float>) {});
  EXPECT_GT(source.samples, 8 * 16000);
  EXPECT_GT(source.corrupt_packets, 0);
}

TEST(Decode, TruncatedFilesGiveWhatIsThere) {
  const TemporaryFolder folder;
  write_wav(folder / "a.wav", 16000, 1, std::vector<int16_t>(16000, 100));
  auto bytes = read_bytes(folder / "a.wav");
  bytes.resize(44 + 8000 * 2);
  write_bytes(folder / "a.wav", bytes);
  EXPECT_EQ(load_audio(folder / "a.wav").size(), 8000U);
}

TEST(Decode, ReadsTheRecordings) {
  const auto jfk = recording("jfk.flac");
  if (jfk.empty()) GTEST_SKIP() << "no recordings beside the checkout";
  const auto audio = load_audio(jfk);
  EXPECT_EQ(audio.size(), 176000U) << "11.0 s at 44.1 kHz stereo";
  EXPECT_GT(rms(audio), 0.03);
  EXPECT_EQ(load_audio(recording("1-1.wav")).size(), 282624U);
}

}  // namespace
}  // namespace whisper_s4y
