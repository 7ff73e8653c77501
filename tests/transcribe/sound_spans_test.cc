// Times that stay within what can be heard.
#include "transcribe/sound_spans.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../decoding/toy_model.h"

namespace whisper_s4y {
namespace {

using namespace testing;  // the toy model
using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::SizeIs;

// Two stretches of speech that were joined.
SoundSpans joined() { return SoundSpans({{0, 10}, {10, 14}}); }

Segment segment(double start, double end, std::vector<int> tokens = {}) {
  return {.start = start, .end = end, .text = " a", .tokens = std::move(tokens)};
}

TEST(SoundSpans, ATimeIsInTheSpanThatHasMostOfIt) {
  const SoundSpans spans = joined();
  EXPECT_EQ(spans.main(2, 5), 0U);
  EXPECT_EQ(spans.main(9.8, 13), 1U);
  EXPECT_EQ(spans.main(11, 30), 1U);
  const SoundSpans apart({{0, 5}, {20, 30}});
  EXPECT_EQ(apart.main(7, 8), 0U) << "the nearest one";
  EXPECT_EQ(apart.main(18, 19), 1U);
}

TEST(SoundSpans, ALittleOfAnotherSpanIsRoughness) {
  EXPECT_FALSE(joined().reaches_over(9.8, 13));
  EXPECT_FALSE(joined().reaches_over(2, 10.5));
  EXPECT_TRUE(joined().reaches_over(8, 13));
}

TEST(SoundSpans, SegmentsEndWithTheirWindow) {
  std::vector<Segment> segments = {segment(0, 7), segment(7, 38), segment(8.7, 9), segment(13, 16)};
  end_with_window(segments, {.seek = 0, .segment_size = 870});
  ASSERT_THAT(segments, SizeIs(2));
  EXPECT_DOUBLE_EQ(segments[1].end, 8.7);
}

TEST(SoundSpans, SegmentsAreInOrderAndHaveALength) {
  Segment late = segment(3, 20);
  EXPECT_TRUE(put_in_order(late, {0, 10}, 4));
  EXPECT_DOUBLE_EQ(late.start, 4);
  EXPECT_DOUBLE_EQ(late.end, 10);
  Segment empty = segment(9.995, 9.995);
  EXPECT_TRUE(put_in_order(empty, {0, 10}, 0));
  EXPECT_DOUBLE_EQ(empty.start, 9.98);
  EXPECT_DOUBLE_EQ(empty.end, 10);
  Segment none = segment(9, 10);
  EXPECT_FALSE(put_in_order(none, {0, 10}, 10)) << "there is no time left";
}

TEST(SoundSpans, WordsAreInOrderAndHaveALength) {
  Segment spoken = segment(1, 9.5);
  spoken.words = {{" a", 1, 2}, {" b", 2, 2}, {" c", 1.5, 3}, {" d", 9, 12}, {" e", 12, 12}};
  EXPECT_TRUE(put_in_order(spoken, {0, 10}, 0));
  double last = 0;
  for (const Word& word : spoken.words) {
    EXPECT_GE(word.start, last) << word.word;
    EXPECT_GE(word.end - word.start, kShortestCue - 1e-9) << word.word;
    last = word.end;
  }
  EXPECT_DOUBLE_EQ(spoken.start, 1);
  EXPECT_DOUBLE_EQ(spoken.end, 10);
}

TEST(SoundSpans, ManyWordsInLittleTimeShareIt) {
  Segment spoken = segment(0, 0.05);
  for (int i = 0; i < 10; ++i) spoken.words.push_back({" a", 0, 0});
  EXPECT_TRUE(put_in_order(spoken, {0, 0.05}, 0));
  EXPECT_NEAR(spoken.words[0].end, 0.005, 1e-9);
  EXPECT_NEAR(spoken.words[9].end, 0.05, 1e-9);
}

TEST(SoundSpans, ASegmentIsCutBetweenTheWordsOfTwoSpans) {
  const ModelInfo info = toy_info();
  const Tokenizer tokenizer(info.vocabulary, info.generation);
  const std::vector<WordTiming> words = {{" a", {word('a')}, 1, 2, 1},
                                         {" b", {word('b')}, 2, 9.9, 1},
                                         {" c", {word('c')}, 10.1, 12, 1}};
  std::vector<Segment> parts;
  cut_segment(segment(1, 12, {at(1), word('a'), word('b'), word('c'), at(12)}), words, {0, 1400},
              joined(), tokenizer, info.generation, parts);
  ASSERT_THAT(parts, SizeIs(2));
  EXPECT_EQ(parts[0].text, " a b");
  EXPECT_THAT(parts[0].tokens, ElementsAre(at(1), word('a'), word('b')));
  EXPECT_THAT(parts[0].end, DoubleNear(9.9, 1e-9));
  EXPECT_EQ(parts[1].text, " c");
  EXPECT_THAT(parts[1].tokens, ElementsAre(word('c'), at(12)));
  EXPECT_THAT(parts[1].start, DoubleNear(10.1, 1e-9));
  EXPECT_DOUBLE_EQ(parts[1].end, 12);
}

}  // namespace
}  // namespace whisper_s4y
