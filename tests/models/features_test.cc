// The front end, as a graph and as a kernel of our own, against the same in double precision.
#include "models/features.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "config/front_end.h"
#include "config/mel_filters.h"
#include "kernels/task_team.h"
#include "models/features_of_file.h"
#include "models/random_checkpoint.h"
#include "models/runner.h"
#include "models/write_bundle.h"
#include "runtime/feature_pass.h"
#include "support/files.h"

namespace whisper_s4y::testing {
namespace {

/// openai/whisper audio.py: log_mel_spectrogram, [mels, 3000].
std::vector<double> reference(const Numbers& audio, int mels) {
  std::array<double, kFftSize> cosine{};
  std::array<double, kFftSize> sine{};
  for (int i = 0; i < kFftSize; ++i) {
    cosine[static_cast<size_t>(i)] = std::cos(2 * std::numbers::pi * i / kFftSize);
    sine[static_cast<size_t>(i)] = std::sin(2 * std::numbers::pi * i / kFftSize);
  }
  const std::vector<float> filters = mel_filters(mels);
  std::vector<double> logs(static_cast<size_t>(mels * kWindowFrames));
  std::array<double, kFftSize> frame{};
  std::array<double, kFftBins> power{};
  for (int t = 0; t < kWindowFrames; ++t) {
    for (int n = 0; n < kFftSize; ++n) {
      int at = std::abs(t * kHopLength - kFftSize / 2 + n);
      if (at >= kWindowSamples) at = 2 * (kWindowSamples - 1) - at;
      frame[static_cast<size_t>(n)] =
          audio[static_cast<size_t>(at)] * (0.5 - 0.5 * cosine[static_cast<size_t>(n)]);
    }
    for (int bin = 0; bin < kFftBins; ++bin) {
      double real = 0;
      double imaginary = 0;
      for (int n = 0; n < kFftSize; ++n) {
        const auto angle = static_cast<size_t>(bin * n % kFftSize);
        real += frame[static_cast<size_t>(n)] * cosine[angle];
        imaginary += frame[static_cast<size_t>(n)] * sine[angle];
      }
      power[static_cast<size_t>(bin)] = real * real + imaginary * imaginary;
    }
    for (int mel = 0; mel < mels; ++mel) {
      double energy = 0;
      for (int bin = 0; bin < kFftBins; ++bin) {
        energy +=
            power[static_cast<size_t>(bin)] * filters[static_cast<size_t>(mel * kFftBins + bin)];
      }
      logs[static_cast<size_t>(mel * kWindowFrames + t)] = std::log10(std::max(energy, 1e-10));
    }
  }
  const double floor = *std::max_element(logs.begin(), logs.end()) - 8;
  for (double& number : logs) number = (std::max(number, floor) + 4) / 4;
  return logs;
}

class Features : public ::testing::TestWithParam<int> {
 protected:
  [[nodiscard]] static Numbers by_graph(const Numbers& audio) {
    ModelConfig config = small_config();
    config.num_mel_bins = GetParam();
    const TemporaryFolder folder;
    write_part(random_checkpoint(config), Part::features_extractor, folder / "model.tflite");
    Runner runner(folder / "model.tflite");
    return runner.run("serving_default", {{"normalized_audio", audio}}).numbers("logmel");
  }

  [[nodiscard]] static Numbers by_kernel(const Numbers& audio) {
    TaskTeam team(2);
    FeaturePass pass(GetParam(), team);
    Numbers logmel(static_cast<size_t>(GetParam() * kWindowFrames));
    pass.run(audio, logmel, nullptr);
    return logmel;
  }

  static void expect_near_reference(const Numbers& audio) {
    const std::vector<double> expected = reference(audio, GetParam());
    for (const Numbers& logmel : {by_graph(audio), by_kernel(audio)}) {
      ASSERT_EQ(logmel.size(), expected.size());
      double total = 0;
      double worst = 0;
      for (size_t i = 0; i < logmel.size(); ++i) {
        const double difference = std::abs(logmel[i] - expected[i]);
        total += difference;
        worst = std::max(worst, difference);
      }
      EXPECT_LT(total / static_cast<double>(logmel.size()), 1e-5);
      EXPECT_LT(worst, 1e-4);
    }
  }
};

TEST_P(Features, NoiseThatSwells) {
  std::mt19937 random(2);
  std::uniform_real_distribution<float> noise(-1.0F, 1.0F);
  Numbers audio(kWindowSamples);
  for (size_t i = 0; i < audio.size(); ++i) {
    audio[i] = noise(random) * static_cast<float>(i) / kWindowSamples;
  }
  expect_near_reference(audio);
}

TEST_P(Features, SoundAtBothEdgesIsReflected) {
  Numbers audio(kWindowSamples, 0.0F);
  for (const size_t at : {size_t{0}, size_t{3}, audio.size() - 150, audio.size() - 1}) {
    audio[at] = 0.7F;
  }
  expect_near_reference(audio);
}

TEST_P(Features, OfSilence) { expect_near_reference(Numbers(kWindowSamples, 0.0F)); }

TEST_P(Features, AreRecognisedInAFile) {
  ModelConfig config = small_config();
  config.num_mel_bins = GetParam();
  const TemporaryFolder folder;
  const auto path = folder / "model.tflite";
  write_part(random_checkpoint(config), Part::features_extractor, path);
  EXPECT_TRUE(computes_log_mel(TfliteFile(path), "serving_default", GetParam()));
  EXPECT_FALSE(computes_log_mel(TfliteFile(path), "serving_default", 208 - GetParam()));
  EXPECT_FALSE(computes_log_mel(TfliteFile(path), "features", GetParam()));
  write_part(random_checkpoint(config), Part::encoder, path);
  EXPECT_FALSE(computes_log_mel(TfliteFile(path), "serving_default", GetParam()));
}

TEST_P(Features, WithAnotherNumberAreOthers) {
  ModelConfig config = small_config();
  config.num_mel_bins = GetParam();
  const TemporaryFolder folder;
  const auto path = folder / "model.tflite";
  write_part(random_checkpoint(config), Part::features_extractor, path);
  std::string file = read_file(path);
  const std::vector<float> filters = mel_filters(GetParam());
  const size_t at = file.find(
      std::string_view(reinterpret_cast<const char*>(filters.data()), 4 * filters.size()));
  ASSERT_NE(at, std::string::npos);
  file[at + 4 * filters.size() / 2] ^= 1;
  write_file(path, file);
  EXPECT_FALSE(computes_log_mel(TfliteFile(path), "serving_default", GetParam()));
}

INSTANTIATE_TEST_SUITE_P(MelBins, Features, ::testing::Values(80, 128));

}  // namespace
}  // namespace whisper_s4y::testing
