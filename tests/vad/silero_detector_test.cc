#include "vad/silero_detector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "vad/silero_model.h"
#include "vad/speech_segments.h"
#include "vad/vad_reference.h"
#include "whisper_s4y/audio.h"
#include "whisper_s4y/error.h"

namespace whisper_s4y {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Lt;
using ::testing::ThrowsMessage;

std::vector<float> reference_probs() {
  std::ifstream file(vad_test_folder() / "speech_probs.f32", std::ios::binary | std::ios::ate);
  std::vector<float> probs(static_cast<size_t>(file.tellg()) / sizeof(float));
  file.seekg(0);
  file.read(reinterpret_cast<char*>(probs.data()),
            static_cast<std::streamsize>(probs.size() * sizeof(float)));
  return probs;
}

TEST(SileroDetectorTest, EqualsTheOnnxModelAndFasterWhisperOnRecordings) {
  const std::filesystem::path speech = shared_dir() / "speech";
  if (!std::filesystem::exists(speech)) GTEST_SKIP() << "no recordings in " << speech;
  const auto reference = read_reference("recordings.json");
  const auto options = options_of(reference.at("options"));
  const std::vector<float> expected = reference_probs();
  SileroDetector detector;
  size_t at = 0;
  float worst = 0.0F;
  for (const auto& entry : reference.at("recordings")) {
    const std::string name = entry.at("name");
    const std::vector<float> audio = load_audio(speech / name);
    ASSERT_EQ(audio.size(), entry.at("samples")) << name;
    const std::vector<float> probs = detector.speech_probs(audio);
    ASSERT_EQ(probs.size(), audio.size() / kVadChunk + 1) << name;
    ASSERT_LE(at + probs.size(), expected.size()) << name;
    for (const float prob : probs) worst = std::max(worst, std::abs(prob - expected[at++]));
    for (size_t i = 0; i < options.size(); ++i) {
      EXPECT_EQ(get_speech_timestamps(probs, static_cast<int64_t>(audio.size()), options[i]),
                segments_of(entry.at("segments").at(i)))
          << name << ", options " << i;
    }
  }
  EXPECT_EQ(at, expected.size());
  EXPECT_LT(worst, 1e-4F);
  RecordProperty("largest_difference", std::to_string(worst));
}

/// Something that is not speech but makes the model think: a tone that comes and goes.
std::vector<float> warble(size_t chunks) {
  std::vector<float> audio(chunks * kVadChunk);
  for (size_t i = 0; i < audio.size(); ++i) {
    const auto t = static_cast<float>(i) / kSampleRate;
    audio[i] = 0.3F * std::sin(1500.0F * t) * std::sin(20.0F * t);
  }
  return audio;
}

TEST(SileroDetectorTest, GivesTheSameInPiecesOfAnySize) {
  SileroDetector detector;
  const std::vector<float> audio = warble(100);
  const std::vector<float> whole = detector.speech_probs(audio);
  std::vector<float> pieces(100);
  detector.reset();
  size_t at = 0;
  for (const size_t count : {1, 2, 33, 0, 31, 32, 1}) {
    detector.hear(std::span(audio).subspan(at * kVadChunk, count * kVadChunk),
                  std::span(pieces).subspan(at, count));
    at += count;
  }
  ASSERT_EQ(at, 100U);
  for (size_t i = 0; i < 100; ++i) EXPECT_NEAR(pieces[i], whole[i], 1e-6F) << i;
}

TEST(SileroDetectorTest, SilenceIsNoSpeech) {
  SileroDetector detector;
  EXPECT_THAT(detector.speech_probs(std::vector<float>(50 * kVadChunk)), Each(Lt(0.1F)));
  EXPECT_EQ(detector.speech_probs({}).size(), 1U);
}

TEST(SileroDetectorTest, RefusesHalfChunks) {
  SileroDetector detector;
  std::vector<float> probs(1);
  EXPECT_THAT([&] { detector.hear(std::vector<float>(500), probs); },
              ThrowsMessage<Error>(HasSubstr("500 samples are not 1 chunks of 512")));
}

TEST(SileroModelTest, NamesTheTensorThatIsMissingOrWrong) {
  auto weights = built_in_silero_weights();
  const auto build = [&] {
    Module module;
    add_silero_vad(module, "chunk", 1, weights, "mine");
  };
  build();
  const auto conv2 = std::ranges::find(weights, "conv2.weight", &TensorView::name);
  ASSERT_NE(conv2, weights.end());
  conv2->shape = {64, 3, 128};
  EXPECT_THAT(build,
              ThrowsMessage<Error>(HasSubstr(
                  "mine: tensor conv2.weight has shape 64 x 3 x 128, expected 64 x 128 x 3")));
  weights.erase(conv2);
  EXPECT_THAT(build, ThrowsMessage<Error>(HasSubstr("mine has no tensor conv2.weight")));
}

TEST(SileroDetectorTest, RefusesFilesThatAreNoWeights) {
  EXPECT_THAT([] { SileroDetector detector(vad_test_folder() / "rules.json"); },
              ThrowsMessage<Error>(HasSubstr("rules.json")));
}

}  // namespace
}  // namespace whisper_s4y
