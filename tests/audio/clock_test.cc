// Time belongs to the recording: what a container says of it is heeded.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "test_files.h"
#include "whisper_s4y/audio.h"
#include "whisper_s4y/error.h"

namespace whisper_s4y {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Seconds at which it first gets loud after `from`; encoders smear a little before it.
double loud_from(const std::vector<float>& audio, double from = 0) {
  for (auto i = static_cast<size_t>(from * kSampleRate); i < audio.size(); ++i) {
    if (std::abs(audio[i]) > 0.25F) return static_cast<double>(i) / kSampleRate;
  }
  return -1;
}

double seconds_of(const std::vector<float>& audio) {
  return static_cast<double>(audio.size()) / kSampleRate;
}

class Clock : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!have_ffmpeg()) GTEST_SKIP() << "no ffmpeg command";
    // 1 s of silence, a tone until 3 s.
    std::vector<float> samples(48000, 0.0F);
    const auto tone = sine(440, 48000, 2, 0.8);
    samples.insert(samples.end(), tone.begin(), tone.end());
    write_wav(folder / "tone.wav", 48000, 1, samples);
  }

  [[nodiscard]] std::string path(const std::string& name) const { return (folder / name).string(); }
  Audio made(const std::string& arguments, const std::string& name) const {
    ffmpeg(arguments + " " + path(name));
    return read_audio(path(name));
  }
  [[nodiscard]] std::string tone() const { return "-i " + path("tone.wav") + " "; }
  [[nodiscard]] static std::string picture() { return "-f lavfi -i testsrc=d=8:s=64x64:r=25 "; }

  TemporaryFolder folder;
};

class LateStart : public Clock, public ::testing::WithParamInterface<const char*> {};

TEST_P(LateStart, IsWhereItIsBesideThePicture) {
  const Audio audio = made(picture() + "-itsoffset 5 " + tone() + "-map 0 -map 1",
                           std::string("late.") + GetParam());
  EXPECT_NEAR(loud_from(audio.channels[0].samples), 6.0, 0.02);
  EXPECT_NEAR(seconds_of(audio.channels[0].samples), 8.0, 0.1);
  EXPECT_THAT(audio.source.warnings, IsEmpty());
}
INSTANTIATE_TEST_SUITE_P(Containers, LateStart,
                         ::testing::Values("mp4", "mov", "mkv", "ts", "mpg", "flv"),
                         [](const auto& info) { return std::string(info.param); });

TEST_F(Clock, ATrackThatBeginsLateAloneDoesSo) {
  for (const char* name : {"late.m4a", "late.mka"}) {
    const Audio audio = made("-itsoffset 5 " + tone(), name);
    EXPECT_NEAR(loud_from(audio.channels[0].samples), 6.0, 0.02) << name;
  }
}

TEST_F(Clock, TheClockOfABroadcastBeginsWithIt) {
  const Audio audio = made(tone() + "-c:a aac -output_ts_offset 40000", "broadcast.ts");
  EXPECT_NEAR(loud_from(audio.channels[0].samples), 1.0, 0.05);
}

TEST_F(Clock, WhatAnEditListLeavesOutIsLeftOut) {
  ffmpeg(picture() + tone() + "-map 0 -map 1 -c:v mpeg4 -g 1 -c:a aac " + path("whole.mp4"));
  // Packets are copied whole; the edit list says where in the first the sound begins.
  const Audio audio = made("-ss 0.51 -i " + path("whole.mp4") + " -c copy", "cut.mp4");
  EXPECT_NEAR(loud_from(audio.channels[0].samples), 0.49, 0.02);
}

TEST_F(Clock, TheEncodersDelayIsNoSound) {
  for (const char* name : {"a.mp3", "a.m4a", "a.opus", "a.ogg", "a.webm", "a.mka", "a.mp4"}) {
    const Audio audio = made(tone(), name);
    EXPECT_NEAR(loud_from(audio.channels[0].samples), 1.0, 0.02) << name;
    EXPECT_NEAR(seconds_of(audio.channels[0].samples), 3.0, 0.06) << name;
    EXPECT_THAT(audio.source.warnings, IsEmpty()) << name;
  }
}

class Gap : public Clock, public ::testing::WithParamInterface<const char*> {};

TEST_P(Gap, IsLeftWhereARecorderWasMuted) {
  // The sound from 1.5 s on comes 4 s later.
  const Audio audio = made(tone() + "-af \"asetpts='PTS+gt(T,1.5)*4/TB'\" -fps_mode passthrough " +
                               (std::string(GetParam()) == "webm" ? "-c:a libopus" : "-c:a aac"),
                           std::string("gap.") + GetParam());
  const auto& samples = audio.channels[0].samples;
  EXPECT_NEAR(loud_from(samples), 1.0, 0.03);
  EXPECT_NEAR(loud_from(samples, 1.7), 5.5, 0.06);
  EXPECT_NEAR(seconds_of(samples), 7.0, 0.1);
}
INSTANTIATE_TEST_SUITE_P(Containers, Gap, ::testing::Values("mp4", "mkv", "webm"),
                         [](const auto& info) { return std::string(info.param); });

TEST_F(Clock, ACutOffFileSaysSo) {
  for (const char* name : {"a.wav", "a.m4a", "a.mka", "a.flac", "a.mp3"}) {
    ffmpeg("-f lavfi -i \"anoisesrc=d=10:a=0.3\" -movflags +faststart " + path(name));
    auto bytes = read_bytes(path(name));
    bytes.resize(bytes.size() * 2 / 3);
    write_bytes(path("cut.") + std::string(name).substr(2), bytes);
    const Audio audio = read_audio(path("cut.") + std::string(name).substr(2));
    EXPECT_NEAR(seconds_of(audio.channels[0].samples), 6.6, 0.6) << name;
    EXPECT_THAT(audio.source.warnings,
                Contains(AllOf(HasSubstr("should last 10.0 s, but only 6."), HasSubstr("cut off"))))
        << name;
  }
}

TEST_F(Clock, ACutOffPipeSaysSo) {
  write_wav(path("a.wav"), 16000, 1, std::vector<int16_t>(16000, 100));
  auto bytes = read_bytes(path("a.wav"));
  bytes.resize(44 + 2 * 4000);
  write_bytes(path("a.wav"), bytes);
  ASSERT_EQ(std::system(("mkfifo " + path("pipe.wav") + " && cat " + path("a.wav") + " > " +
                         path("pipe.wav") + " &")
                            .c_str()),
            0);
  while (!std::filesystem::exists(path("pipe.wav"))) ::usleep(1000);
  EXPECT_THAT(read_audio(path("pipe.wav")).source.warnings,
              Contains(HasSubstr("should last 1.0 s, but only 0.2 s")));
}

TEST_F(Clock, WhatFollowsAWavIsToldOf) {
  write_wav(path("a.wav"), 16000, 1, std::vector<int16_t>(16000, 100));
  auto bytes = read_bytes(path("a.wav"));
  const auto whole = bytes;
  bytes.insert(bytes.end(), whole.begin(), whole.end());
  write_bytes(path("twice.wav"), bytes);
  EXPECT_THAT(read_audio(path("twice.wav")).source.warnings,
              Contains(HasSubstr("states 1.0 s; what follows, about 1.0 s")));
  for (const char* codec : {"adpcm_ima_wav", "adpcm_ms", "pcm_mulaw", "pcm_f32le"}) {
    const Audio coded = made(tone() + "-c:a " + codec, std::string(codec) + ".wav");
    EXPECT_THAT(coded.source.warnings, IsEmpty()) << codec;
  }
}

TEST_F(Clock, AnOggFileHasAnEnd) {
  for (const char* name : {"a.opus", "a.ogg"}) {
    EXPECT_THAT(made(tone(), name).source.warnings, IsEmpty()) << name;
    auto bytes = read_bytes(path(name));
    bytes.resize(bytes.size() * 2 / 3);
    write_bytes(path(name), bytes);
    EXPECT_THAT(read_audio(path(name)).source.warnings, Contains(HasSubstr("has no end"))) << name;
  }
}

TEST_F(Clock, JoinedOggFilesAreNoDamage) {
  ffmpeg(tone() + path("a.opus"));
  auto bytes = read_bytes(path("a.opus"));
  const auto whole = bytes;
  bytes.insert(bytes.end(), whole.begin(), whole.end());
  write_bytes(path("twice.opus"), bytes);
  const Audio audio = read_audio(path("twice.opus"));
  EXPECT_THAT(audio.source.warnings, IsEmpty());
  EXPECT_NEAR(seconds_of(audio.channels[0].samples), 6.0, 0.1);
}

TEST_F(Clock, DamagedPacketsAreCountedAndTheirTimeIsKept) {
  ffmpeg("-f lavfi -i \"anoisesrc=d=10:a=0.1\" -i " + path("tone.wav") +
         " -filter_complex \"[0][1]concat=n=2:v=0:a=1\" -c:a flac " + path("a.mka"));
  auto bytes = read_bytes(path("a.mka"));
  for (size_t i = bytes.size() / 3; i < bytes.size() / 3 + 9000; ++i) bytes[i] ^= 0x5A;
  write_bytes(path("a.mka"), bytes);
  const Audio audio = read_audio(path("a.mka"));
  EXPECT_GT(audio.source.corrupt_packets, 0);
  EXPECT_THAT(audio.source.warnings, Contains(HasSubstr("damaged and")));
  EXPECT_THAT(audio.source.warnings, Contains(HasSubstr("packets are missing in 1 place")));
  EXPECT_NEAR(loud_from(audio.channels[0].samples, 9), 11.0, 0.03);
}

TEST_F(Clock, SaysWhichOfSeveralTracksWasTaken) {
  const Audio audio =
      made(tone() +
               "-f lavfi -i \"anullsrc=d=3\" -map 0 -map 1 -metadata:s:a:0 language=ger "
               "-metadata:s:a:0 title=Rede -metadata:s:a:1 language=eng",
           "two.mkv");
  EXPECT_THAT(audio.source.warnings,
              Contains(HasSubstr("has 2 audio tracks, 1 (ger, \"Rede\"), 2 (eng); track 1")));
  for (const char* wanted : {"1", "de", "deu", "German", "de-AT"}) {
    const Audio german = read_audio(path("two.mkv"), {.track = wanted});
    EXPECT_NEAR(loud_from(german.channels[0].samples), 1.0, 0.02) << wanted;
    EXPECT_THAT(german.source.warnings, IsEmpty()) << wanted;
  }
  EXPECT_LT(loud_from(load_audio(path("two.mkv"), {.track = "en"})), 0);
  const AudioInfo info = inspect_audio(path("two.mkv"));
  ASSERT_EQ(info.tracks.size(), 2U);
  EXPECT_EQ(info.tracks[0].title, "Rede");
  EXPECT_NEAR(info.tracks[1].seconds, 3.0, 0.1);
  EXPECT_TRUE(info.tracks[0].is_main);
}

// Left and right as they are told.
std::vector<float> stereo(size_t samples, const std::function<float(size_t)>& left,
                          const std::function<float(size_t)>& right) {
  std::vector<float> both;
  for (size_t i = 0; i < samples; ++i) {
    both.push_back(left(i));
    both.push_back(right(i));
  }
  return both;
}

TEST(Channels, ThatCancelEachOtherOutLeaveTheLoudest) {
  const TemporaryFolder folder;
  const auto tone = sine(440, 16000, 2);
  const auto left = [&](size_t i) { return tone[i] * 0.9F; };
  const auto right = [&](size_t i) { return -tone[i]; };
  write_wav(folder / "a.wav", 16000, 2, stereo(tone.size(), left, right));
  const Audio audio = read_audio(folder / "a.wav");
  for (size_t i = 0; i < tone.size(); ++i)
    ASSERT_NEAR(audio.channels[0].samples[i], -tone[i], 1e-6);
  EXPECT_THAT(audio.source.warnings, Contains(AllOf(HasSubstr("cancel each other out for 2.0 s"),
                                                    HasSubstr("channel right, the loudest"))));
}

TEST(Channels, ThatDifferAreMixed) {
  const TemporaryFolder folder;
  const auto low = sine(300, 16000, 2);
  const auto high = sine(700, 16000, 2);
  write_wav(folder / "a.wav", 16000, 2,
            stereo(
                low.size(), [&](size_t i) { return low[i]; }, [&](size_t i) { return high[i]; }));
  const Audio audio = read_audio(folder / "a.wav");
  EXPECT_THAT(audio.source.warnings, IsEmpty());
  EXPECT_NEAR(audio.channels[0].samples[100], (low[100] + high[100]) / 2, 1e-6);
}

TEST(Channels, CanBeChosen) {
  const TemporaryFolder folder;
  write_wav(folder / "a.wav", 16000, 2,
            stereo(
                1000, [](size_t) { return 0.25F; }, [](size_t) { return -0.5F; }));
  EXPECT_FLOAT_EQ(load_audio(folder / "a.wav", {.channel = "left"})[500], 0.25F);
  EXPECT_FLOAT_EQ(load_audio(folder / "a.wav", {.channel = "right"})[500], -0.5F);
  EXPECT_FLOAT_EQ(load_audio(folder / "a.wav", {.channel = "2"})[500], -0.5F);
  EXPECT_THROW((void)load_audio(folder / "a.wav", {.channel = "3"}), Error);
  EXPECT_THROW((void)load_audio(folder / "a.wav", {.channel = "middle"}), Error);
  EXPECT_THROW((void)load_audio(folder / "a.wav", {.channel = "each"}), Error);
  const Audio each = read_audio(folder / "a.wav", {.channel = "each"});
  ASSERT_EQ(each.channels.size(), 2U);
  EXPECT_EQ(each.channels[1].name, "right");
  EXPECT_FLOAT_EQ(each.channels[0].samples[500], 0.25F);
  EXPECT_FLOAT_EQ(each.channels[1].samples[500], -0.5F);
}

}  // namespace
}  // namespace whisper_s4y
