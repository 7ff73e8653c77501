#include "vad/speech_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "vad/speech_segments.h"

namespace whisper_s4y {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Kind = SpeechEvent::Kind;

/// Takes the first sample of each chunk for the probability.
class ScriptedDetector : public SpeechDetector {
 public:
  void reset() override {}
  void hear(Span<const float> chunks, Span<float> speech_probs) override {
    for (size_t i = 0; i < speech_probs.size(); ++i) speech_probs[i] = chunks[i * kVadChunk];
  }
};

std::vector<float> audio_of(const std::vector<std::pair<int, float>>& runs) {
  std::vector<float> audio;
  for (const auto& [chunks, prob] : runs) {
    audio.insert(audio.end(), static_cast<size_t>(chunks * kVadChunk), prob);
  }
  return audio;
}

class SpeechStreamTest : public ::testing::Test {
 protected:
  /// All events of `audio` pushed in pieces of `step` samples.
  std::vector<SpeechEvent> events(const std::vector<float>& audio, size_t step) {
    SpeechStream stream(detector_, options_);
    std::vector<SpeechEvent> all;
    for (size_t at = 0; at < audio.size(); at += step) {
      const size_t count = std::min(step, audio.size() - at);
      for (const SpeechEvent& event : stream.push(std::span(audio).subspan(at, count))) {
        EXPECT_LE(event.sample, stream.position());
        all.push_back(event);
      }
    }
    for (const SpeechEvent& event : stream.finish()) all.push_back(event);
    EXPECT_FALSE(stream.speaking());
    return all;
  }

  ScriptedDetector detector_;
  VadOptions options_{.min_silence_duration_ms = 320, .speech_pad_ms = 64};  // 10 chunks, 2 chunks
};

TEST_F(SpeechStreamTest, TellsOfTheStartAtOnceAndOfTheEndAfterTheSilence) {
  SpeechStream stream(detector_, options_);
  EXPECT_THAT(stream.push(audio_of({{5, 0.1F}})), IsEmpty());
  EXPECT_THAT(stream.push(audio_of({{1, 0.9F}})), ElementsAre(SpeechEvent{Kind::start, 3 * 512}));
  EXPECT_TRUE(stream.speaking());
  EXPECT_THAT(stream.push(audio_of({{4, 0.9F}, {10, 0.1F}})), IsEmpty());
  EXPECT_THAT(stream.push(audio_of({{1, 0.1F}})), ElementsAre(SpeechEvent{Kind::end, 12 * 512}));
  EXPECT_THAT(stream.finish(), IsEmpty());
}

TEST_F(SpeechStreamTest, ChunksNeedNotComeWhole) {
  const auto audio = audio_of({{5, 0.1F}, {7, 0.9F}, {20, 0.1F}, {3, 0.9F}});
  const auto expected =
      ElementsAre(SpeechEvent{Kind::start, 3 * 512}, SpeechEvent{Kind::end, 14 * 512},
                  SpeechEvent{Kind::start, 30 * 512}, SpeechEvent{Kind::end, 35 * 512});
  for (const size_t step : {1, 160, 511, 513, 100000}) EXPECT_THAT(events(audio, step), expected);
}

TEST_F(SpeechStreamTest, EndsTheUtteranceWithTheRecording) {
  auto audio = audio_of({{5, 0.1F}, {7, 0.9F}});
  audio.insert(audio.end(), 100, 0.9F);
  EXPECT_THAT(events(audio, 512), ElementsAre(SpeechEvent{Kind::start, 3 * 512},
                                              SpeechEvent{Kind::end, 12 * 512 + 100}));
}

TEST_F(SpeechStreamTest, UtterancesDoNotOverlapWhenTheyAreSplit) {
  options_.max_speech_duration_s = 1.0;
  const auto audio = audio_of({{100, 0.9F}, {5, 0.1F}, {60, 0.9F}, {20, 0.1F}});
  const auto all = events(audio, 512);
  ASSERT_GT(all.size(), 6U);
  for (size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(all[i].kind, i % 2 == 0 ? Kind::start : Kind::end) << i;
    if (i == 0) continue;
    EXPECT_GE(all[i].sample, all[i - 1].sample) << i;
    if (i % 2 == 1) {
      EXPECT_LE(all[i].sample - all[i - 1].sample, 16000) << i;
    }
  }
}

TEST_F(SpeechStreamTest, TakesBackWhatWasTooShort) {
  options_.min_speech_duration_ms = 200;
  EXPECT_THAT(events(audio_of({{5, 0.1F}, {2, 0.9F}, {20, 0.1F}}), 512),
              ElementsAre(SpeechEvent{Kind::start, 3 * 512}, SpeechEvent{Kind::dropped, 5 * 512}));
}

}  // namespace
}  // namespace whisper_s4y
