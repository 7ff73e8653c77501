// What becomes of a window's tokens: segments, words, hallucinations skipped.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../decoding/toy_model.h"
#include "transcribe/hallucination.h"
#include "transcribe/segments.h"
#include "transcribe/word_timestamps.h"

namespace whisper_s4y {
namespace {

using namespace testing;  // the toy model
using ::testing::ElementsAre;
using ::testing::SizeIs;

class SplitSegments : public ::testing::Test {
 protected:
  WindowSegments split(std::vector<int> tokens, Rest rest = Rest::decode_again) {
    DecodingResult result;
    result.tokens = std::move(tokens);
    return split_segments(result, {.seek = 1000, .segment_size = 3000}, tokenizer_,
                          info_.generation, rest);
  }
  static std::vector<std::pair<double, double>> times(const WindowSegments& window) {
    std::vector<std::pair<double, double>> result;
    for (const Segment& segment : window.segments) result.emplace_back(segment.start, segment.end);
    return result;
  }

  ModelInfo info_ = toy_info();
  Tokenizer tokenizer_{info_.vocabulary, info_.generation};
};

TEST_F(SplitSegments, AtPairsOfTimes) {
  const auto window = split({at(0), word('a'), at(4), at(5), word('b'), at(9), at(9), word('c')});
  EXPECT_THAT(times(window), ElementsAre(std::pair(10.0, 14.0), std::pair(15.0, 19.0)));
  EXPECT_EQ(window.next_seek, 1900);
  EXPECT_FALSE(window.single_timestamp_ending);
}

TEST_F(SplitSegments, ASingleTimeAtTheEndEndsTheWindow) {
  const auto window = split({at(0), word('a'), at(4), at(5), word('b'), at(9)});
  EXPECT_THAT(times(window), ElementsAre(std::pair(10.0, 14.0), std::pair(15.0, 19.0)));
  EXPECT_EQ(window.next_seek, 4000);
  EXPECT_TRUE(window.single_timestamp_ending);
}

TEST_F(SplitSegments, WithoutPairsTheWindowIsOneSegment) {
  EXPECT_THAT(times(split({at(0), word('a'), at(4)})), ElementsAre(std::pair(10.0, 14.0)));
  EXPECT_THAT(times(split({at(0), word('a')})), ElementsAre(std::pair(10.0, 40.0)));
  EXPECT_THAT(times(split({word('a')})), ElementsAre(std::pair(10.0, 40.0)));
}

TEST_F(SplitSegments, TheRestMayBeKept) {
  const auto window = split({at(0), word('a'), at(4), at(5), word('b')}, Rest::keep);
  EXPECT_THAT(times(window), ElementsAre(std::pair(10.0, 14.0), std::pair(15.0, 40.0)));
  EXPECT_EQ(window.next_seek, 4000);
  const auto nothing_left = split({at(0), word('a'), at(4), at(5)}, Rest::keep);
  EXPECT_THAT(nothing_left.segments, SizeIs(1));
  EXPECT_EQ(nothing_left.next_seek, 1400);
}

// A segment with a word every half second from `start` on.
Segment spoken(double start, int words, float probability = 0.9F) {
  Segment segment;
  segment.start = start;
  for (int i = 0; i < words; ++i) {
    segment.words.push_back({.word = " a",
                             .start = start + i * 0.5,
                             .end = start + i * 0.5 + 0.4,
                             .probability = probability});
  }
  segment.end = segment.words.empty() ? start : segment.words.back().end;
  return segment;
}

TEST(Anomaly, IsImprobableOrOddlyLong) {
  EXPECT_FALSE(is_anomaly(spoken(0, 5)));
  EXPECT_TRUE(is_anomaly(spoken(0, 5, 0.1F)));
  EXPECT_FALSE(is_anomaly(Segment()));
  Segment drawn = spoken(0, 1);
  drawn.words[0].end = 6;
  EXPECT_TRUE(is_anomaly(drawn));
  Segment hasty = spoken(0, 2);
  for (Word& word : hasty.words) word.end = word.start + 0.01;
  EXPECT_TRUE(is_anomaly(hasty));
}

class SkipHallucinations : public ::testing::Test {
 protected:
  HallucinationCheck skip(std::vector<Segment>& segments, double threshold = 2.0,
                          double last_speech = 0.0) {
    return skip_hallucinations(segments, {.seek = 0, .segment_size = 3000}, threshold, last_speech,
                               9000, true, 3000);
  }
};

TEST_F(SkipHallucinations, KeepsSpeech) {
  std::vector<Segment> segments = {spoken(0, 6), spoken(8, 6)};
  const HallucinationCheck check = skip(segments);
  EXPECT_FALSE(check.decode_again);
  EXPECT_EQ(check.next_seek, 3000);
  EXPECT_THAT(segments, SizeIs(2));
}

TEST_F(SkipHallucinations, DecodesAgainAfterSilenceAtTheBeginning) {
  std::vector<Segment> segments = {spoken(5, 4, 0.05F)};
  const HallucinationCheck check = skip(segments);
  EXPECT_TRUE(check.decode_again);
  EXPECT_EQ(check.next_seek, 500);
  segments = {spoken(5, 4, 0.05F)};
  EXPECT_FALSE(skip(segments, 6.0).decode_again);  // not that much silence
}

TEST_F(SkipHallucinations, CutsWhatStandsInSilence) {
  std::vector<Segment> segments = {spoken(0, 6), spoken(12, 4, 0.05F), spoken(20, 6)};
  const HallucinationCheck check = skip(segments);
  EXPECT_FALSE(check.decode_again);
  EXPECT_THAT(segments, SizeIs(1));
  EXPECT_EQ(check.next_seek, 1200);
  // Improbable words amid speech are speech.
  segments = {spoken(0, 6), spoken(3, 4, 0.05F), spoken(5.1, 6)};
  (void)skip(segments);
  EXPECT_THAT(segments, SizeIs(3));
}

WordTiming timing(std::string text, double start, double end) {
  return {.word = std::move(text),
          .tokens = {word('a')},
          .start = start,
          .end = end,
          .probability = 0.5};
}

class AddWords : public ::testing::Test {
 protected:
  // One segment with as many tokens as there are words, in a window that begins at 10 s.
  static Segment add(std::vector<WordTiming> alignment, double start, double end,
                     double last_speech = 10.0) {
    std::vector<Segment> segments(1);
    segments[0].start = start;
    segments[0].end = end;
    segments[0].tokens.assign(alignment.size(), word('a'));
    add_word_timestamps(segments, std::move(alignment), {.seek = 1000, .segment_size = 3000},
                        last_speech, kEot, "\"'“¿([{-", "\"'.。,，!！?？:：”)]}、");
    return segments[0];
  }
};

TEST_F(AddWords, TimesAreThoseOfTheRecording) {
  const Segment segment = add({timing(" a", 0.5, 0.9), timing(" b", 0.9, 1.3)}, 10, 12);
  ASSERT_THAT(segment.words, SizeIs(2));
  EXPECT_DOUBLE_EQ(segment.words[0].start, 10.5);
  EXPECT_DOUBLE_EQ(segment.words[1].end, 11.3);
  EXPECT_FLOAT_EQ(segment.words[0].probability, 0.5F);
  EXPECT_DOUBLE_EQ(segment.start, 10.5);  // the segment follows its words
  EXPECT_DOUBLE_EQ(segment.end, 11.3);
}

TEST_F(AddWords, PunctuationIsJoinedToItsWord) {
  const Segment segment = add({timing(" \"", 0.1, 0.2), timing(" a", 0.2, 0.6),
                               timing(",", 0.6, 0.7), timing(" b", 0.7, 1)},
                              10, 11);
  ASSERT_THAT(segment.words, SizeIs(2));
  EXPECT_EQ(segment.words[0].word, " \" a,");
  EXPECT_EQ(segment.words[1].word, " b");
}

TEST_F(AddWords, APauseIsNotPartOfAWord) {
  // The first word seems to last for the three seconds of silence before it.
  const Segment segment =
      add({timing(" a", 0, 3.3), timing(" b", 3.3, 3.6), timing(" c", 3.6, 3.9)}, 13, 14);
  EXPECT_NEAR(segment.words[0].start, 13.3 - 2 * 0.3, 0.01);  // twice the median
  EXPECT_DOUBLE_EQ(segment.words[0].end, 13.3);
}

TEST_F(AddWords, ALongFullStopIsCut) {
  const Segment segment = add(
      {timing(" a", 0, 0.3), timing(" b", 0.3, 0.6), timing(".", 0.6, 3.6), timing(" c", 3.6, 3.9)},
      10, 14);
  EXPECT_NEAR(segment.words[1].end, 10.6, 0.61);
}

}  // namespace
}  // namespace whisper_s4y
