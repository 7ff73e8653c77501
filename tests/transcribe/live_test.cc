// Live transcription on scripted time: what is loud is speech, and the script says of what.
#include "whisper_s4y/live.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scripted_recording.h"
#include "transcribe/local_agreement.h"
#include "whisper_s4y/error.h"

namespace whisper_s4y {
namespace {

using namespace testing;  // the toy model
using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(SplitPieces, AtSpacesOrCharacters) {
  EXPECT_THAT(split_pieces(" ask not, what"), ElementsAre(" ask", " not,", " what"));
  EXPECT_THAT(split_pieces("今日は ok"), ElementsAre("今", "日", "は", " ok"));
  EXPECT_THAT(split_pieces("abc日x"), ElementsAre("abc", "日", "x"));
  EXPECT_THAT(split_pieces(""), IsEmpty());
}

TEST(LocalAgreement, ConfirmsWhatTwoHypothesesBeginWith) {
  LocalAgreement agreement;
  agreement.hear(" And so my yellow");
  EXPECT_EQ(agreement.confirmed(), "");
  EXPECT_EQ(agreement.tentative(), " And so my yellow");
  agreement.hear(" And so, my fellow Americans");
  EXPECT_EQ(agreement.confirmed(), " And so, my");
  EXPECT_EQ(agreement.tentative(), " fellow Americans");
  agreement.hear(" And so my fellow American ask");
  EXPECT_EQ(agreement.confirmed(), " And so, my fellow");  // stays as it was confirmed
  agreement.finish(" And so my fellow Americans ask not.");
  EXPECT_EQ(agreement.confirmed(), " And so, my fellow Americans ask not.");
  EXPECT_EQ(agreement.tentative(), "");
}

TEST(LocalAgreement, NeverTakesAnythingBack) {
  LocalAgreement agreement;
  agreement.hear(" a b c");
  agreement.hear(" a b c");
  agreement.hear(" x");
  EXPECT_EQ(agreement.confirmed(), " a b c");
  EXPECT_EQ(agreement.tentative(), "");
  agreement.finish(" x y z d");
  EXPECT_EQ(agreement.confirmed(), " a b c d");
}

class LiveTest : public ::testing::Test {
 protected:
  LiveTest() {
    options_.transcribe.language = "en";
    options_.transcribe.without_timestamps = true;
    options_.transcribe.best_of = 1;
  }

  // Every text that is told of, as "start-end confirmed|tentative", with a . when it is final.
  std::vector<std::string> run(std::vector<WindowScript> script,
                               const std::vector<std::pair<double, bool>>& pieces) {
    ScriptedRecording model(std::move(script));
    Transcriber transcriber = transcriber_over(model);
    LoudDetector detector;
    std::vector<std::string> told;
    LiveTranscriber live(transcriber, detector, options_, [&](const LiveText& text) {
      told.push_back(fmt::format("{:.1f}-{:.1f}{}|{}{}", text.start, text.end, text.confirmed,
                                 text.tentative, text.is_final ? "." : ""));
    });
    for (const auto& [length, loud] : pieces) {
      std::vector<float> samples = seconds_of_sound(length);
      std::fill(samples.begin(), samples.end(), loud ? 1.0F : 0.0F);
      live.push(samples);
    }
    live.finish();
    prompts_ = model.prompts;
    return told;
  }

  static WindowScript says(std::vector<int> text) { return {.attempts = {std::move(text)}}; }

  LiveOptions options_;
  std::map<int, std::vector<int>> prompts_;
};

TEST_F(LiveTest, AnUtteranceIsRevisedUntilItIsOver) {
  const auto told =
      run({says({word('a'), word('x')}), says({word('a'), word('b'), word('y')}),
           says({word('a'), word('b'), word('c')})},
          {{2.048, false}, {1.024, true}, {1.024, true}, {0.3, true}, {2.048, false}});
  EXPECT_THAT(told, ElementsAre("1.8-3.1| a x", "1.8-4.1 a| b y", "1.8-4.6 a b c|."));
}

TEST_F(LiveTest, ShortSoundsAndSilenceCostNothing) {
  EXPECT_THAT(run({}, {{5, false}, {0.1, true}, {5, false}}), IsEmpty());
  EXPECT_THAT(prompts_, IsEmpty());
}

TEST_F(LiveTest, WhatWasToldOfComesToAnEnd) {
  options_.transcribe.suppress_blank = false;
  EXPECT_THAT(run({says({word('a')}), says({})}, {{1.024, true}, {1.024, false}}),
              ElementsAre("0.0-1.0| a", "0.0-1.2|."));
}

TEST_F(LiveTest, TheEndOfTheSoundEndsTheUtterance) {
  EXPECT_THAT(run({says({word('a')})}, {{0.96, true}}), ElementsAre("0.0-1.0 a|."));
}

TEST_F(LiveTest, TheUtteranceBeforeIsThePrompt) {
  const std::vector<std::pair<double, bool>> twice = {
      {0.96, true}, {1.024, false}, {0.704, true}, {1.024, false}};
  const std::vector<WindowScript> script = {says({word('a')}), says({word('b')})};
  EXPECT_THAT(run(script, twice), ElementsAre("0.0-1.2 a|.", "1.8-2.9 b|."));
  EXPECT_THAT(prompts_[2],
              ElementsAre(kSotPrev, word('a'), kSot, kEnglish, kTranscribe, kNoTimestamps));
  options_.transcribe.condition_on_previous_text = false;
  (void)run(script, twice);
  EXPECT_THAT(prompts_[2], ElementsAre(kSot, kEnglish, kTranscribe, kNoTimestamps));
}

TEST_F(LiveTest, TheFirstSureUtteranceSettlesTheLanguage) {
  options_.transcribe.language.reset();
  // Windows to detect and to transcribe follow each other until the language is settled.
  const auto in = [](int language, float sureness) {
    return WindowScript{
        .attempts = {{word('a')}}, .language = language, .language_sureness = sureness};
  };
  const std::vector<WindowScript> script = {in(kFrench, 0.1F), in(kFrench, 9), in(kGerman, 9),
                                            in(kGerman, 9),    in(kGerman, 9), in(kEnglish, 9),
                                            in(kEnglish, 9)};
  (void)run(
      script,
      {{0.96, true}, {1.024, false}, {2.816, true}, {1.024, false}, {2.816, true}, {1.024, false}});
  EXPECT_THAT(prompts_[2], ::testing::Contains(kFrench));
  EXPECT_THAT(prompts_[4], ::testing::Contains(kGerman));
  EXPECT_THAT(prompts_[4], ::testing::Not(::testing::Contains(word('a'))));  // which was French
  EXPECT_THAT(prompts_[6], ::testing::Contains(kGerman));
  EXPECT_THAT(prompts_[6], ::testing::Contains(word('a')));
}

TEST_F(LiveTest, EveryUtteranceHasItsLanguageWhenThereAreSeveral) {
  options_.transcribe.language.reset();
  options_.transcribe.multilingual = true;
  const auto in = [](int language) {
    return WindowScript{.attempts = {{word('a')}}, .language = language};
  };
  // Detected once and transcribed twice.
  (void)run({in(kFrench), in(kFrench), in(kFrench), in(kGerman), in(kGerman), in(kGerman)},
            {{4.8, true}, {1.024, false}, {4.8, true}, {1.024, false}});
  for (const int window : {2, 3}) {
    EXPECT_THAT(prompts_[window], ElementsAre(kSot, kFrench, kTranscribe, kNoTimestamps));
  }
  for (const int window : {5, 6}) {
    EXPECT_THAT(prompts_[window], ElementsAre(kSot, kGerman, kTranscribe, kNoTimestamps));
  }
}

TEST_F(LiveTest, LongSpeechIsCut) {
  std::vector<std::pair<double, bool>> pieces(40, {1.024, true});
  const auto told = run(std::vector<WindowScript>(50, says({word('a')})), pieces);
  EXPECT_EQ(std::count_if(told.begin(), told.end(),
                          [](const std::string& text) { return text.ends_with('.'); }),
            2);
}

TEST_F(LiveTest, GoesOnAfterACallbackThatThrew) {
  ScriptedRecording model({says({word('a')}), says({word('b')}), says({word('c')})});
  Transcriber transcriber = transcriber_over(model);
  LoudDetector detector;
  std::vector<std::string> told;
  struct Mine {};
  LiveTranscriber live(transcriber, detector, options_, [&](const LiveText& text) {
    told.push_back(fmt::format("{:.1f}-{:.1f}{}", text.start, text.end, text.confirmed));
    if (told.size() == 1) throw Mine();
  });
  // Three utterances in one piece: what the first one throws does not lose the others.
  std::vector<float> samples;
  for (int i = 0; i < 3; ++i) {
    samples.resize(samples.size() + 15360, 1.0F);
    samples.resize(samples.size() + 16384, 0.0F);
  }
  EXPECT_THROW(live.push(samples), Mine);
  EXPECT_THAT(told, ElementsAre("0.0-1.2 a"));
  live.push({});
  EXPECT_THAT(told, ElementsAre("0.0-1.2 a", "1.8-3.1 b", "3.8-5.1 c"));
  live.finish();
}

TEST_F(LiveTest, SpeechIsToldOfBeforeItsText) {
  ScriptedRecording model({says({word('a')}), says({word('b')})});
  Transcriber transcriber = transcriber_over(model);
  LoudDetector detector;
  std::vector<std::string> told;
  LiveCallbacks callbacks;
  callbacks.on_speech = [&](const LiveSpeech& speech) {
    told.push_back(fmt::format("{} {:.1f}", speech.begins ? "begins" : "ends", speech.time));
  };
  callbacks.on_text = [&](const LiveText& text) {
    told.push_back(text.confirmed);
    EXPECT_EQ(text.segments.size(), 1U);
  };
  LiveTranscriber live(transcriber, detector, options_, callbacks);
  std::vector<float> samples(15360, 1.0F);
  samples.resize(samples.size() + 16384, 0.0F);
  samples.resize(samples.size() + 1600, 1.0F);  // too short for an utterance
  samples.resize(samples.size() + 16384, 0.0F);
  live.push(samples);
  EXPECT_THAT(told, ElementsAre("begins 0.0", "ends 1.2", "begins 1.8", "ends 2.0", " a"));
  live.finish();
  EXPECT_EQ(told.size(), 5U);
}

TEST_F(LiveTest, BorrowsATranscriberOnlyWhileThereIsSpeech) {
  ScriptedRecording model({says({word('a')}), says({word('b')})});
  Transcriber transcriber = transcriber_over(model);
  LoudDetector detector;
  int lent = 0;
  int given_back = 0;
  const TranscriberLender lend = [&] {
    ++lent;
    return std::shared_ptr<Transcriber>(&transcriber, [&](Transcriber*) { ++given_back; });
  };
  std::string told;
  LiveCallbacks callbacks;
  callbacks.on_text = [&](const LiveText& text) {
    told += text.confirmed;
    EXPECT_EQ(lent, given_back);
  };
  LiveTranscriber live(lend, detector, options_, callbacks);
  live.push(std::vector<float>(32768, 0.0F));
  EXPECT_EQ(lent, 0);
  live.push(std::vector<float>(10240, 1.0F));
  live.finish();
  EXPECT_EQ(lent, 1);
  EXPECT_EQ(told, " a");
}

TEST_F(LiveTest, ALenderThatRefusesEndsTheCall) {
  LoudDetector detector;
  struct Full {};
  bool is_full = true;
  ScriptedRecording model({says({word('a')})});
  Transcriber transcriber = transcriber_over(model);
  const TranscriberLender lend = [&] {
    if (is_full) throw Full();
    return std::shared_ptr<Transcriber>(std::shared_ptr<void>(), &transcriber);
  };
  std::string told;
  LiveCallbacks callbacks;
  callbacks.on_text = [&](const LiveText& text) { told += text.confirmed; };
  LiveTranscriber live(lend, detector, options_, callbacks);
  EXPECT_THROW(live.push(std::vector<float>(32768, 1.0F)), Full);
  is_full = false;
  live.finish();
  EXPECT_EQ(told, " a");
}

TEST_F(LiveTest, RefusesWhatIsForRecordings) {
  options_.transcribe.vad_filter = true;
  EXPECT_THROW((void)run({}, {}), Error);
  options_.transcribe.vad_filter = false;
  options_.update_interval = 0;
  EXPECT_THROW((void)run({}, {}), Error);
}

}  // namespace
}  // namespace whisper_s4y
