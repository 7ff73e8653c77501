#include "vad/speech_segments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "vad/vad_reference.h"
#include "whisper_s4y/error.h"

namespace whisper_s4y {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::ThrowsMessage;

TEST(SpeechSegmentsTest, AreThoseOfFasterWhisper) {
  const auto reference = read_reference("rules.json");
  const auto options = options_of(reference.at("options"));
  size_t compared = 0;
  for (const auto& entry : reference.at("cases")) {
    const auto probs = entry.at("probs").get<std::vector<float>>();
    for (size_t i = 0; i < options.size(); ++i) {
      const auto& result = entry.at("results").at(i);
      const auto expected = segments_of(result.at("segments"));
      const auto segments = get_speech_timestamps(probs, entry.at("samples"), options[i]);
      EXPECT_EQ(segments, expected) << "options " << i;
      compared += expected.size();
      if (expected.empty()) continue;
      const SpeechTimestampsMap map(expected);
      for (const auto& time : result.at("times")) {
        EXPECT_EQ(map.original_time(time.at(0)), time.at(1)) << time;
        EXPECT_EQ(map.original_time(time.at(0), true), time.at(2)) << time;
      }
    }
  }
  EXPECT_GT(compared, 500U);
}

TEST(SpeechSegmentsTest, NoSpeechNoSegments) {
  EXPECT_THAT(get_speech_timestamps(std::vector<float>(100, 0.3F), 51200), IsEmpty());
  EXPECT_THAT(get_speech_timestamps(std::vector<float>{}, 0), IsEmpty());
  EXPECT_THAT(collect_chunks({}, 480000), IsEmpty());
}

TEST(SpeechSegmentsTest, CollectsSegmentsUpToTheLongestChunk) {
  const std::vector<SpeechSegment> segments = {{0, 10}, {20, 25}, {30, 50}, {60, 61}};
  EXPECT_THAT(collect_chunks(segments, 15),
              ElementsAre(SpeechChunk{{{0, 10}, {20, 25}}, 0, 15}, SpeechChunk{{{30, 50}}, 15, 20},
                          SpeechChunk{{{60, 61}}, 35, 1}));
  EXPECT_THAT(collect_chunks(segments, 1000), ElementsAre(SpeechChunk{segments, 0, 36}));
}

TEST(SpeechSegmentsTest, CollectsTheSamples) {
  std::vector<float> audio(10);
  for (size_t i = 0; i < audio.size(); ++i) audio[i] = static_cast<float>(i);
  EXPECT_THAT(collect_audio(audio, std::vector<SpeechSegment>{{1, 3}, {8, 10}}),
              ElementsAre(1, 2, 8, 9));
}

TEST(SpeechTimestampsMapTest, TakesWordsWithTheSegmentOfTheirMiddle) {
  // 1 s of silence, 1 s of speech, 2 s of silence, 1 s of speech.
  const SpeechTimestampsMap map(std::vector<SpeechSegment>{{16000, 32000}, {64000, 80000}});
  EXPECT_EQ(map.segment_at(0.9), 0U);
  EXPECT_EQ(map.segment_at(1.0), 1U);
  EXPECT_EQ(map.segment_at(1.0, true), 0U);
  EXPECT_EQ(map.segment_at(7.0), 1U);
  EXPECT_EQ(map.original_time(1.0), 4.0);
  EXPECT_EQ(map.original_time(1.0, true), 2.0);
  EXPECT_EQ(map.original_time(0.9, size_t{0}), 1.9);
  EXPECT_EQ(map.original_time(1.1, size_t{0}), 2.0) << "stays in the segment";
  EXPECT_EQ(map.original_time(0.9, size_t{1}), 4.0);
}

TEST(SpeechTimestampsMapTest, NeedsSpeech) {
  EXPECT_THAT([] { SpeechTimestampsMap map({}); }, ThrowsMessage<Error>(HasSubstr("no times")));
}

TEST(VadOptionsTest, RefusesWhatIsImpossible) {
  const auto refuses = [](const VadOptions& options, const char* message) {
    EXPECT_THAT([&] { options.validate(); }, ThrowsMessage<Error>(HasSubstr(message)));
  };
  refuses({.threshold = 0.0}, "threshold must be 0.001 to 0.999, not 0.");
  refuses({.threshold = std::numeric_limits<double>::quiet_NaN()},
          "threshold must be 0.001 to 0.999, not nan.");
  refuses({.neg_threshold = 0.6}, "neg_threshold 0.6 is above the threshold 0.5");
  refuses({.min_speech_duration_ms = -1}, "min_speech_duration_ms must be 0 to 86400000, not -1.");
  refuses({.max_speech_duration_s = 0.5}, "max_speech_duration_s is 0.5, expected at least 0.864");
  refuses({.speech_pad_ms = -5}, "speech_pad_ms must be 0 to 86400000, not -5.");
}

}  // namespace
}  // namespace whisper_s4y
