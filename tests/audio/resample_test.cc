// How well other rates come to 16 kHz, measured against the tones themselves.
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "test_files.h"
#include "whisper_s4y/audio.h"

namespace whisper_s4y {
namespace {

std::vector<float> resampled(const std::vector<float>& samples, int rate) {
  const TemporaryFolder folder;
  write_wav(folder / "a.wav", rate, 1, samples);
  return load_audio(folder / "a.wav");
}

// Signal to error in dB against `expected`, without 50 ms at both ends, where the filter reaches
// over the edge.
double snr(const std::vector<float>& samples, const std::vector<float>& expected) {
  double signal = 0;
  double error = 0;
  constexpr size_t kEdge = 800;
  for (size_t i = kEdge; i + kEdge < std::min(samples.size(), expected.size()); ++i) {
    signal += std::pow(expected[i], 2);
    error += std::pow(samples[i] - expected[i], 2);
  }
  return 10 * std::log10(signal / error);
}

class Rates : public ::testing::TestWithParam<int> {};

TEST_P(Rates, KeepTheLength) {
  const auto audio = resampled(sine(100, GetParam(), 3), GetParam());
  EXPECT_NEAR(static_cast<double>(audio.size()), 48000, 2);
}

TEST_P(Rates, KeepTonesOfSpeech) {
  for (const double frequency : {60.0, 440.0, 1000.0, 3000.0, 6000.0}) {
    if (frequency > 0.39 * GetParam()) continue;
    const auto audio = resampled(sine(frequency, GetParam(), 2), GetParam());
    EXPECT_GT(snr(audio, sine(frequency, 16000, 2)), 85) << frequency << " Hz";
  }
}

TEST_P(Rates, KeepASweepInPlace) {
  // 50 Hz to 3 kHz (or what the rate holds) in 2 s.
  const double top = std::min(3000.0, 0.35 * GetParam());
  const auto sweep = [&](int rate) {
    std::vector<float> samples(static_cast<size_t>(2 * rate));
    for (size_t i = 0; i < samples.size(); ++i) {
      const double t = static_cast<double>(i) / rate;
      const double phase = 2 * std::numbers::pi * (50 * t + (top - 50) * t * t / 4);
      samples[i] = static_cast<float>(0.5 * std::sin(phase));
    }
    return samples;
  };
  EXPECT_GT(snr(resampled(sweep(GetParam()), GetParam()), sweep(16000)), 85);
}

class HighRates : public ::testing::TestWithParam<int> {};

TEST_P(HighRates, DropWhat16kCannotHold) {
  const auto audio = resampled(sine(11000, GetParam(), 2), GetParam());
  double power = 0;
  for (size_t i = 800; i + 800 < audio.size(); ++i) power += std::pow(audio[i], 2);
  power /= static_cast<double>(audio.size() - 1600);
  EXPECT_LT(10 * std::log10(power / 0.125), -85);
}

INSTANTIATE_TEST_SUITE_P(Common, Rates,
                         ::testing::Values(8000, 11025, 22050, 24000, 32000, 44100, 48000, 96000));
INSTANTIATE_TEST_SUITE_P(Common, HighRates, ::testing::Values(24000, 32000, 44100, 48000, 96000));

}  // namespace
}  // namespace whisper_s4y
