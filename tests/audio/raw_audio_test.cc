// Sound that comes in pieces is the same as that which comes at once.
#include "audio/raw_audio.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <numbers>
#include <vector>

#include "support/errors.h"
#include "whisper_s4y/audio.h"
#include "whisper_s4y/error.h"

namespace whisper_s4y {
namespace {

using Coding = RawAudioFormat::Coding;

std::vector<int16_t> tone(int rate, double seconds) {
  std::vector<int16_t> samples(static_cast<size_t>(rate * seconds));
  for (size_t i = 0; i < samples.size(); ++i) {
    const double angle = 2 * std::numbers::pi * 440 * static_cast<double>(i) / rate;
    samples[i] = static_cast<int16_t>(std::lround(16'000 * std::sin(angle)));
  }
  return samples;
}

std::vector<float> converted(const RawAudioFormat& format, std::span<const std::byte> bytes,
                             size_t piece) {
  RawAudioStream stream(format);
  std::vector<float> result;
  const auto take = [&](std::span<const float> samples) {
    result.insert(result.end(), samples.begin(), samples.end());
  };
  while (!bytes.empty()) {
    const auto part = bytes.first(std::min(piece, bytes.size()));
    take(stream.push(part));
    bytes = bytes.subspan(part.size());
  }
  take(stream.finish());
  return result;
}

TEST(RawAudioStream, GivesMono16kHzAsItIs) {
  const std::vector<int16_t> samples = {0, 1, -1, 32767, -32768};
  EXPECT_THAT(converted({.coding = Coding::pcm16}, std::as_bytes(std::span(samples)), 3),
              ::testing::ElementsAre(0.0F, 1 / 32768.0F, -1 / 32768.0F, 32767 / 32768.0F, -1.0F));
}

TEST(RawAudioStream, PiecesMakeNoDifference) {
  for (const RawAudioFormat& format :
       {RawAudioFormat{Coding::pcm16, 24'000, 1}, RawAudioFormat{Coding::pcm16, 44'100, 2},
        RawAudioFormat{Coding::pcm24, 8'000, 3}, RawAudioFormat{Coding::mu_law, 8'000, 1}}) {
    const std::vector<int16_t> samples = tone(24'000, 0.5);
    const auto bytes = std::as_bytes(std::span(samples));
    const std::vector<float> whole = converted(format, bytes, bytes.size());
    EXPECT_GT(whole.size(), 1000U);
    for (const size_t piece : {1U, 7U, 480U}) {
      EXPECT_EQ(converted(format, bytes, piece), whole) << piece;
    }
  }
}

TEST(RawAudioStream, ResamplesWithoutClicks) {
  const std::vector<int16_t> samples = tone(24'000, 1);
  const std::vector<float> result =
      converted({Coding::pcm16, 24'000, 1}, std::as_bytes(std::span(samples)), 960);
  ASSERT_NEAR(static_cast<double>(result.size()), kSampleRate, 16);
  for (size_t i = 200; i + 200 < result.size(); ++i) {
    const double angle = 2 * std::numbers::pi * 440 * static_cast<double>(i) / kSampleRate;
    ASSERT_NEAR(result[i], 16'000 / 32'768.0 * std::sin(angle), 2e-3) << i;
  }
}

// ITU-T G.711: the largest and smallest steps of both laws.
TEST(RawAudioStream, DecodesBothLawsOfG711) {
  const std::vector<uint8_t> codes = {0x00, 0x80, 0xFF, 0x7F};
  const auto bytes = std::as_bytes(std::span(codes));
  const auto steps = [&](Coding coding) {
    std::vector<int> result;
    for (const float sample : converted({coding, kSampleRate, 1}, bytes, 1)) {
      result.push_back(static_cast<int>(std::lround(sample * 32768)));
    }
    return result;
  };
  EXPECT_THAT(steps(Coding::mu_law), ::testing::ElementsAre(-32124, 32124, 0, 0));
  EXPECT_THAT(steps(Coding::a_law), ::testing::ElementsAre(-5504, 5504, 848, -848));
}

TEST(RawAudioStream, DropsWhatIsLessThanASample) {
  const std::vector<uint8_t> odd = {0, 64, 1};
  EXPECT_THAT(converted({.coding = Coding::pcm16}, std::as_bytes(std::span(odd)), 3),
              ::testing::ElementsAre(0.5F));
  RawAudioStream stream(RawAudioFormat{});
  EXPECT_TRUE(stream.finish().empty());
}

TEST(RawAudioStream, RefusesFormatsThatCannotBe) {
  EXPECT_THROW(RawAudioStream({Coding::pcm16, 0, 1}), Error);
  EXPECT_THROW(RawAudioStream({Coding::pcm16, 1'000'000, 1}), Error);
  EXPECT_THROW(RawAudioStream({Coding::pcm16, 16'000, 0}), Error);
  EXPECT_THROW(RawAudioStream({Coding::pcm16, 16'000, 17}), Error);
}

}  // namespace
}  // namespace whisper_s4y
