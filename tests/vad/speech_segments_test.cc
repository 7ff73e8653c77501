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

std::vector<SpeechChunk> collect_chunks(const std::vector<SpeechSegment>& segments,
                                        int64_t max_duration) {
  ChunkCollector collector(max_duration);
  std::vector<SpeechChunk> chunks;
  for (const SpeechSegment& segment : segments) {
    if (auto chunk = collector.add(segment)) chunks.push_back(*std::move(chunk));
  }
  if (auto chunk = collector.finish()) chunks.push_back(*std::move(chunk));
  return chunks;
}

// What is said of segments before the recording is over is what becomes of them.
TEST(SpeechSegmentsTest, AreCertainAsTheyAreHeard) {
  const auto reference = read_reference("rules.json");
  const auto options = options_of(reference.at("options"));
  size_t early = 0;
  for (const auto& entry : reference.at("cases")) {
    const auto probs = entry.at("probs").get<std::vector<float>>();
    for (const VadOptions& one : options) {
      const auto all = get_speech_timestamps(probs, entry.at("samples"), one);
      SpeechSegmenter segmenter(one);
      int64_t heard = 0;
      for (const float prob : probs) {
        segmenter.next(prob);
        heard += kVadChunk;
        if (heard > entry.at("samples")) break;  // what is certain is cut by finish()
        const auto& segments = segmenter.segments();
        ASSERT_LE(segments.size(), all.size());
        for (size_t i = 0; i < segments.size(); ++i) ASSERT_EQ(segments[i], all[i]);
        const auto current = segmenter.current();
        if (segments.size() < all.size()) {
          ASSERT_LE(segmenter.least_start(), all[segments.size()].start);
        }
        if (!current) continue;
        ASSERT_LT(segments.size(), all.size());
        ASSERT_EQ(current->start, all[segments.size()].start);
        ASSERT_LE(current->end, all[segments.size()].end);
        ++early;
      }
    }
  }
  EXPECT_GT(early, 1000U);
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

TEST(SpeechTimestampsMapTest, GrowsAsSpeechIsHeard) {
  const SpeechTimestampsMap whole(std::vector<SpeechSegment>{{16000, 32000}, {64000, 80000}});
  SpeechTimestampsMap map(std::vector<SpeechSegment>{{16000, 20000}});
  map.extend(32000);
  map.add({64000, 64001});
  map.extend(80000);
  EXPECT_EQ(map.segments(), whole.segments());
  for (const int64_t sample : {0, 100, 15999, 16000, 31999}) {
    EXPECT_EQ(map.original_sample(sample), whole.original_sample(sample));
    EXPECT_EQ(map.original_sample(sample), sample < 16000 ? 16000 + sample : 48000 + sample);
  }
  EXPECT_EQ(map.segment_of(15999), map.segments()[0]);
  EXPECT_EQ(map.segment_of(16000), map.segments()[1]);
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
