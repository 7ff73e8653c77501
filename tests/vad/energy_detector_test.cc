#include "vad/energy_detector.h"

#include <gtest/gtest.h>

#include <cmath>

namespace whisper_s4y {
namespace {

void append_noise(std::vector<float>& audio, size_t chunks, float amplitude) {
  uint32_t state = 1;
  for (size_t i = 0; i < chunks * kVadChunk; ++i) {
    state = state * 1664525U + 1013904223U;
    audio.push_back(amplitude * (static_cast<float>(state >> 8) / 8388608.0F - 1.0F));
  }
}

TEST(EnergyDetectorTest, HearsWhatIsLouderThanTheBackground) {
  std::vector<float> audio;
  append_noise(audio, 30, 0.005F);
  append_noise(audio, 30, 0.3F);
  append_noise(audio, 30, 0.005F);
  EnergyDetector detector;
  const std::vector<float> probs = detector.speech_probs(audio);
  ASSERT_EQ(probs.size(), 91U);
  for (size_t i = 0; i < 90; ++i) EXPECT_EQ(probs[i] > 0.5F, i >= 30 && i < 60) << i;
}

TEST(EnergyDetectorTest, HearsSpeechAtTheVeryBeginning) {
  std::vector<float> audio;
  append_noise(audio, 10, 0.3F);
  EnergyDetector detector;
  EXPECT_GT(detector.speech_probs(audio)[0], 0.5F);
}

TEST(EnergyDetectorTest, GetsUsedToSteadyNoise) {
  std::vector<float> audio;
  append_noise(audio, 40 * 31, 0.1F);
  EnergyDetector detector;
  EXPECT_LT(detector.speech_probs(audio).at(40 * 31 - 1), 0.1F);
}

TEST(EnergyDetectorTest, SilenceIsNoSpeech) {
  EnergyDetector detector;
  for (const float prob : detector.speech_probs(std::vector<float>(5000))) EXPECT_LT(prob, 0.01F);
}

}  // namespace
}  // namespace whisper_s4y
