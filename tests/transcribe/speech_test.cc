// Speech cut out and put back, and windows decoded in batches.
#include "transcribe/speech.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "known_speech.h"
#include "scripted_recording.h"
#include "transcribe/batched.h"
#include "transcribe/check_options.h"
#include "whisper_s4y/error.h"

namespace whisper_s4y {
namespace {

using namespace testing;  // the toy model
using ::testing::ElementsAre;
using ::testing::SizeIs;

constexpr int64_t kSecond = 16000;

// Loud between the seconds of each pair.
std::vector<float> sound(double length, std::initializer_list<std::pair<double, double>> loud) {
  std::vector<float> audio = seconds_of_sound(length);
  for (const auto& [begin, end] : loud) {
    std::fill(audio.begin() + static_cast<ptrdiff_t>(begin * kSecond),
              audio.begin() + static_cast<ptrdiff_t>(end * kSecond), 1.0F);
  }
  return audio;
}

std::vector<std::pair<double, double>> in_seconds(const std::vector<SpeechSegment>& segments) {
  std::vector<std::pair<double, double>> result;
  for (const SpeechSegment& segment : segments) {
    result.emplace_back(static_cast<double>(segment.start) / kSecond,
                        static_cast<double>(segment.end) / kSecond);
  }
  return result;
}

std::vector<SpeechSegment> speech_of(const std::vector<float>& audio,
                                     const TranscribeOptions& options) {
  LoudDetector detector;
  MemorySound sound(audio);
  SpeechListener listener(sound, detector);
  SpeechSegmenter segmenter(speech_options(options));
  listener.tell(segmenter);
  const ClipSamples clips(options.clip_timestamps, sound);
  ClippedSpeech speech(listener, segmenter, clips);
  std::vector<SpeechSegment> all;
  while (const auto part = speech.next()) all.push_back(*part);
  return all;
}

TEST(FindSpeech, StaysWithinTheClips) {
  TranscribeOptions options;
  options.vad_options.emplace().speech_pad_ms = 0;
  options.vad_options->min_silence_duration_ms = 0;
  const auto audio = sound(16, {{1.024, 4.096}, {8.192, 12.288}});
  EXPECT_THAT(in_seconds(speech_of(audio, options)),
              ElementsAre(std::pair(1.024, 4.096), std::pair(8.192, 12.288)));
  options.clip_timestamps = {2, 9, 10, 11};
  EXPECT_THAT(in_seconds(speech_of(audio, options)),
              ElementsAre(std::pair(2.0, 4.096), std::pair(8.192, 9.0), std::pair(10.0, 11.0)));
}

TEST(FindSpeech, BatchesNeedShortSegmentsAndShortPausesPartThem) {
  TranscribeOptions options;
  const auto audio = sound(100, {{0, 20}, {21, 90}});
  EXPECT_THAT(speech_of(audio, options), SizeIs(1));
  options.batch_size = 1;
  const auto segments = speech_of(audio, options);
  EXPECT_GE(segments.size(), 4U);
  for (const SpeechSegment& segment : segments) EXPECT_LE(segment.size(), 30 * kSecond);
}

TEST(RestoreTimes, ASegmentStaysInTheStretchOfItsMiddle) {
  const SpeechTimestampsMap map(
      std::vector<SpeechSegment>{{10 * kSecond, 15 * kSecond}, {50 * kSecond, 60 * kSecond}});
  Segment segment;
  segment.seek = 200;
  segment.start = 4;
  segment.end = 7;
  restore_times(segment, map);
  EXPECT_EQ(segment.seek, 1200);
  EXPECT_DOUBLE_EQ(segment.start, 50);
  EXPECT_DOUBLE_EQ(segment.end, 52);

  segment.start = 4;
  segment.end = 5.1;
  segment.words = {{.word = " a", .start = 4, .end = 4.5},
                   {.word = " b", .start = 4.5, .end = 5.1}};
  restore_times(segment, map);
  EXPECT_DOUBLE_EQ(segment.words[0].end, 14.5);
  EXPECT_DOUBLE_EQ(segment.words[1].end, 15);  // not 50.1
  EXPECT_DOUBLE_EQ(segment.start, 14);
  EXPECT_DOUBLE_EQ(segment.end, 15);
}

class BatchedTest : public ::testing::Test {
 protected:
  BatchedTest() {
    options_.language = "en";
    options_.batch_size = 1;
    options_.best_of = 1;
  }

  Transcript run(std::vector<ScriptedRecording*> scripted,
                 const std::vector<SpeechSegment>& speech) {
    const std::vector<DecoderModel*> models(scripted.begin(), scripted.end());
    MemorySound sound(audio_);
    KnownSpeech parts(speech);
    const Tokenizer tokenizer(models[0]->info().vocabulary, models[0]->info().generation);
    const TranscribeOptions checked = checked_options(options_, *models[0]);
    return Batched(models, tokenizer, sound, parts, checked, callbacks_).run();
  }

  std::vector<float> audio_ = seconds_of_sound(200);
  TranscribeOptions options_;
  TranscribeCallbacks callbacks_;
};

const std::vector<SpeechSegment> kSpeech = {
    {10 * kSecond, 30 * kSecond}, {40 * kSecond, 49 * kSecond}, {100 * kSecond, 120 * kSecond}};

TEST_F(BatchedTest, WindowsShowAsMuchSpeechAsFits) {
  ScriptedRecording model(
      {{{{at(0), word('a'), at(20), at(20), word('b'), at(29)}}}, {{{at(0), word('c'), at(20)}}}});
  std::vector<std::string> heard;
  std::vector<double> progress;
  callbacks_.on_segment = [&](const Segment& segment) { heard.push_back(segment.text); };
  callbacks_.on_progress = [&](double done, double) { progress.push_back(done); };
  const Transcript transcript = run({&model}, kSpeech);
  EXPECT_EQ(model.windows, 2);
  EXPECT_EQ(transcript.text, " a b c");
  ASSERT_THAT(transcript.segments, SizeIs(3));
  EXPECT_DOUBLE_EQ(transcript.segments[1].start, 40);
  EXPECT_DOUBLE_EQ(transcript.segments[1].end, 49);
  EXPECT_DOUBLE_EQ(transcript.segments[2].start, 100);
  EXPECT_EQ(transcript.segments[2].id, 2);
  EXPECT_THAT(heard, ElementsAre(" a", " b", " c"));
  EXPECT_THAT(progress, ElementsAre(49, 120));
}

TEST_F(BatchedTest, WindowsDoNotKnowTheTextBefore) {
  ScriptedRecording model({{{{at(0), word('a'), at(29)}}}, {{{at(0), word('c'), at(20)}}}});
  options_.initial_prompt = "x";
  (void)run({&model}, kSpeech);
  EXPECT_THAT(model.prompts[1], ElementsAre(kSotPrev, word('x'), kSot, kEnglish, kTranscribe));
  EXPECT_THAT(model.prompts[2], ElementsAre(kSot, kEnglish, kTranscribe));
}

TEST_F(BatchedTest, TextGoesOnUntilTheSpeechEnds) {
  // The end is wanted after the pair of times; the next likely token is taken instead.
  ScriptedRecording model({{{{at(0), word('a'), at(10), at(10), kEot, at(29)}}}});
  const Transcript transcript = run({&model}, {kSpeech[0], kSpeech[1]});
  EXPECT_EQ(model.windows, 1);
  ASSERT_THAT(transcript.segments, SizeIs(2));
  EXPECT_DOUBLE_EQ(transcript.segments[1].start, 20);
  EXPECT_DOUBLE_EQ(transcript.segments[1].end, 30) << "no further than its stretch of speech";
}

TEST_F(BatchedTest, ManyModelsGiveWhatOneGives) {
  std::vector<SpeechSegment> speech;
  for (int64_t i = 0; i < 6; ++i) speech.push_back({i * 30 * kSecond, (i * 30 + 29) * kSecond});
  const std::vector<WindowScript> script(6, WindowScript{{{at(0), word('a'), at(29)}}});
  ScriptedRecording one(script);
  const Transcript expected = run({&one}, speech);
  ScriptedRecording first(script);
  ScriptedRecording second(script);
  EXPECT_EQ(run({&first, &second}, speech), expected);
  EXPECT_EQ(first.windows + second.windows, 6);
}

TEST_F(BatchedTest, WhatGoesWrongInAWindowIsThrown) {
  options_.beam_size = 3;  // which the scripted model cannot follow
  ScriptedRecording model({{{{at(0), word('a'), at(29)}}}});
  EXPECT_THROW((void)run({&model}, kSpeech), Error);
}

TEST_F(BatchedTest, ACallbackThatThrowsEndsTheThreads) {
  ScriptedRecording model({{{{at(0), word('a'), at(29)}}}, {{{at(0), word('c'), at(20)}}}});
  callbacks_.on_segment = [](const Segment&) { throw std::runtime_error("full"); };
  EXPECT_THROW((void)run({&model}, kSpeech), std::runtime_error);
}

}  // namespace
}  // namespace whisper_s4y
