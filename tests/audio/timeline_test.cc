// Where frames go whose timestamps are late, early, shaking or wrong.
#include "audio/timeline.h"

#include <gtest/gtest.h>

#include <vector>

namespace whisper_s4y {
namespace {

constexpr int kFrame = 320;  // 20 ms

/// Feeds frames of 20 ms at 16 kHz and keeps what is written: where each frame begins.
class Follow {
 public:
  explicit Follow(bool discontinuities = false) : timeline(discontinuities) {}

  /// Seconds at which the frame's first sample stands in what is written.
  double frame(std::optional<double> seconds) {
    const Timeline::Step step = timeline.next(seconds, kFrame, 16000);
    written += step.silence;
    const double begin = static_cast<double>(written) / 16000;
    written += kFrame - step.skipped;
    skipped += step.skipped;
    return begin;
  }

  Timeline timeline;
  int64_t written = 0;
  int64_t skipped = 0;
};

TEST(Timeline, FramesWithoutTimestampsFollowOneAnother) {
  Follow follow;
  EXPECT_DOUBLE_EQ(follow.frame(std::nullopt), 0.0);
  EXPECT_DOUBLE_EQ(follow.frame(std::nullopt), 0.02);
}

TEST(Timeline, ALateBeginningIsSilence) {
  Follow follow;
  EXPECT_DOUBLE_EQ(follow.frame(4.936), 4.936);
  EXPECT_DOUBLE_EQ(follow.frame(4.956), 4.956);
}

TEST(Timeline, WhatComesBeforeTheBeginningIsLeftOut) {
  Follow follow;
  follow.frame(-0.0065);
  EXPECT_EQ(follow.skipped, 104);
  EXPECT_NEAR(follow.frame(0.0135), 0.0135, 1e-4);
}

TEST(Timeline, MissingPacketsAreSilence) {
  Follow follow;
  follow.frame(0.0);
  EXPECT_DOUBLE_EQ(follow.frame(7.5), 7.5);
  EXPECT_DOUBLE_EQ(follow.frame(7.52), 7.52);
}

TEST(Timeline, RoundedTimestampsChangeNothing) {
  Follow follow;
  for (int i = 0; i < 100; ++i) {
    EXPECT_NEAR(follow.frame(i * 0.02 + (i % 2 == 0 ? 0.001 : -0.001)), i * 0.02, 2e-3);
  }
  EXPECT_EQ(follow.skipped, 0);
}

TEST(Timeline, ShakingDoesNotAddUp) {
  Follow follow;
  double last = 0;
  for (int i = 0; i < 500; ++i) last = follow.frame(i * 0.02 + (i % 5 == 0 ? 0.045 : 0.0));
  EXPECT_NEAR(last, 499 * 0.02, 0.05);
  EXPECT_EQ(follow.skipped, 0) << "no sound is lost to it";
}

TEST(Timeline, ASlowClockIsFollowed) {
  Follow follow;
  double last = 0;
  for (int i = 0; i < 3000; ++i) last = follow.frame(i * 0.02 * 0.99);  // 1 % in a minute
  EXPECT_NEAR(last, 2999 * 0.02 * 0.99, 0.11);
}

TEST(Timeline, AFastClockIsFollowed) {
  Follow follow;
  double last = 0;
  for (int i = 0; i < 3000; ++i) last = follow.frame(i * 0.02 * 1.01);
  EXPECT_NEAR(last, 2999 * 0.02 * 1.01, 0.03);
}

TEST(Timeline, SoundIsKeptWhereTimestampsStepBack) {
  Follow follow;
  for (int i = 0; i < 100; ++i) follow.frame(i * 0.02);  // 2 s
  double last = 0;
  for (int i = 0; i < 100; ++i) last = follow.frame(1.0 + i * 0.02);
  EXPECT_EQ(follow.skipped, 0);
  EXPECT_NEAR(last, 3.98, 1e-9) << "behind what was before";
  EXPECT_NEAR(follow.frame(10.0), 10.0, 1e-9) << "the next pause puts it right";
}

TEST(Timeline, AJumpOfABroadcastIsNoPause) {
  Follow follow(true);
  follow.frame(3.0);
  EXPECT_NEAR(follow.frame(90000.0), 3.02, 1e-9);
  EXPECT_NEAR(follow.frame(90000.02), 3.04, 1e-9);
  EXPECT_NEAR(follow.frame(90002.02), 5.04, 1e-9) << "a pause";
  EXPECT_NEAR(follow.frame(1.0), 5.06, 1e-9) << "the clock begins anew";
  EXPECT_EQ(follow.timeline.ignored_jumps(), 2);
}

TEST(Timeline, MadeUpTimestampsDoNotFillTheMemory) {
  Follow follow;
  for (int i = 0; i < 1000; ++i) follow.frame(i * 3600.0);
  EXPECT_LT(follow.written, int64_t{7} * 3600 * 16000);
  EXPECT_GT(follow.timeline.ignored_jumps(), 0);
  Follow other;
  EXPECT_DOUBLE_EQ(other.frame(1e18), 0.0);
  EXPECT_DOUBLE_EQ(other.frame(-1e300), 0.02);
}

}  // namespace
}  // namespace whisper_s4y
