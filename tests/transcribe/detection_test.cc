// Which language is spoken: detected where there is speech, and where it changes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "known_speech.h"
#include "scripted_recording.h"
#include "transcribe/batched.h"
#include "transcribe/check_options.h"
#include "transcribe/language_stretches.h"
#include "transcribe/language_vote.h"
#include "transcribe/long_form.h"
#include "transcribe/speech_windows.h"
#include "whisper_s4y/error.h"

namespace whisper_s4y {
namespace {

using namespace testing;  // the toy model
using ::testing::ElementsAre;
using ::testing::FloatEq;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

constexpr int64_t kSecond = 16000;

TEST(Among, TheProbabilitiesAddUpToOne) {
  const LanguageProbs probs = {{"en", 0.2F}, {"de", 0.7F}, {"fr", 0.1F}};
  EXPECT_EQ(among(probs, {}), probs);
  EXPECT_THAT(among(probs, {"fr", "en"}),
              ElementsAre(Pair("en", FloatEq(2 / 3.0F)), Pair("fr", FloatEq(1 / 3.0F))));
  EXPECT_THAT(among({{"en", 0.0F}, {"de", 1.0F}, {"fr", 0.0F}}, {"fr", "en"}),
              ElementsAre(Pair("en", 0.5F), Pair("fr", 0.5F)));
}

TEST(LanguageVote, TheFirstSureWindowDecidesOrElseTheMean) {
  LanguageVote unsure(0.5F);
  EXPECT_FALSE(unsure.decides({{"en", 0.45F}, {"de", 0.4F}}));
  EXPECT_FALSE(unsure.decides({{"en", 0.3F}, {"de", 0.5F}}));
  EXPECT_THAT(unsure.probs(), ElementsAre(Pair("en", FloatEq(0.375F)), Pair("de", FloatEq(0.45F))));
  EXPECT_TRUE(unsure.decides({{"en", 0.6F}, {"de", 0.1F}}));
  EXPECT_THAT(unsure.probs(), ElementsAre(Pair("en", 0.6F), Pair("de", 0.1F)));
}

/// Loud sound is speech; notes how much was heard.
class CountingDetector : public LoudDetector {
 public:
  void hear(Span<const float> chunks, Span<float> speech_probs) override {
    heard += chunks.size();
    LoudDetector::hear(chunks, speech_probs);
  }
  size_t heard = 0;  // samples
};

class SpeechWindowsTest : public ::testing::Test {
 protected:
  // First seconds of the windows of a recording that is loud between the seconds of each pair.
  std::vector<double> windows(double length, std::initializer_list<std::pair<double, double>> loud,
                              std::vector<Clip> clips = {}) {
    std::vector<float> audio = seconds_of_sound(length);
    for (const auto& [begin, end] : loud) {
      std::fill(audio.begin() + static_cast<ptrdiff_t>(begin * kSecond),
                audio.begin() + static_cast<ptrdiff_t>(end * kSecond), 1.0F);
    }
    if (clips.empty()) clips.push_back({0, static_cast<int>(length * 100)});
    const DetectorSource source = [&]() -> SpeechDetector& { return detector_; };
    MemorySound sound(audio);
    SpeechWindows windows(source, sound, clips);
    std::vector<double> begins;
    while (begins.size() < most_) {
      const std::optional<int> begin = windows.next();
      if (!begin) break;
      begins.push_back(*begin / 100.0);
    }
    return begins;
  }

  size_t most_ = 9;
  CountingDetector detector_;
};

TEST_F(SpeechWindowsTest, FollowEachOtherWhileSomebodySpeaks) {
  EXPECT_THAT(windows(70, {{1, 69}}), ElementsAre(0, 30, 60));
  EXPECT_THAT(windows(70, {{4, 69}}), ElementsAre(0, 30, 60));
}

TEST_F(SpeechWindowsTest, BeginWithTheSpeechThatComesLate) {
  EXPECT_THAT(windows(120, {{40.96, 45}, {110.08, 119}}), ElementsAre(40.56, 109.68));
}

TEST_F(SpeechWindowsTest, NeedMoreThanACough) {
  EXPECT_THAT(windows(120, {{10.24, 10.5}, {80.64, 90}}), ElementsAre(80.24));
  EXPECT_THAT(windows(120, {{10.24, 10.5}, {80.64, 81.2}}), ElementsAre(80.24));
}

TEST_F(SpeechWindowsTest, AreTheFirstOneWithoutSpeech) {
  EXPECT_THAT(windows(120, {}), ElementsAre(0));
  EXPECT_THAT(windows(120, {}, {{500, 1000}, {2000, 3000}}), ElementsAre(5));
  EXPECT_THAT(windows(0, {}), ElementsAre(0));
}

TEST_F(SpeechWindowsTest, StayWithinTheClips) {
  EXPECT_THAT(windows(120, {{0, 20}, {50.176, 120}}, {{2500, 4000}, {4000, 6000}}),
              ElementsAre(49.77));
}

TEST_F(SpeechWindowsTest, HearNoMoreThanTheyNeed) {
  most_ = 1;
  EXPECT_THAT(windows(3600, {{1, 3600}}), ElementsAre(0));
  EXPECT_LE(detector_.heard, 4U * kSecond);
}

std::vector<SpeechSegment> pieces_of_speech(const std::vector<float>& probs) {
  SpeechSegmenter segmenter(piece_options());
  PiecesOfSpeech pieces;
  std::vector<SpeechSegment> result;
  const auto take = [&](bool is_over) {
    pieces.take(segmenter, is_over);
    while (const auto piece = pieces.next()) result.push_back(*piece);
  };
  for (const float prob : probs) {
    segmenter.next(prob);
    take(false);
  }
  segmenter.finish(static_cast<int64_t>(probs.size()) * kVadChunk);
  take(true);
  return result;
}

TEST(PiecesOfSpeech, AShortOneGoesWithItsNearerNeighbour) {
  std::vector<float> probs(1000, 0.0F);
  const auto speak = [&](int begin, int end) {
    std::fill(probs.begin() + begin, probs.begin() + end, 0.9F);
  };
  speak(0, 100);    // 3.2 s
  speak(120, 140);  // 0.6 s, 0.6 s after it
  speak(150, 250);  // 0.3 s after that
  const auto pieces = pieces_of_speech(probs);
  ASSERT_THAT(pieces, SizeIs(2));
  EXPECT_NEAR(static_cast<double>(pieces[0].end) / kVadChunk, 100, 4);
  EXPECT_NEAR(static_cast<double>(pieces[1].start) / kVadChunk, 120, 4);
  EXPECT_NEAR(static_cast<double>(pieces[1].end) / kVadChunk, 250, 4);
}

SpokenPiece piece(double start, double end, float english, float german) {
  return {.place = {static_cast<int64_t>(start * kSecond), static_cast<int64_t>(end * kSecond)},
          .probs = {{"en", english}, {"de", german}, {"fr", 1 - english - german}}};
}

// The index of each piece's language.
std::vector<size_t> likeliest_course(const std::vector<SpokenPiece>& pieces) {
  LanguageCourse course;
  for (const SpokenPiece& piece : pieces) course.add(piece);
  course.decide(std::numeric_limits<int64_t>::max());
  std::vector<size_t> result;
  while (const auto decided = course.next()) {
    const auto& probs = pieces[result.size()].probs;
    EXPECT_EQ(decided->place, pieces[result.size()].place);
    const auto found = std::ranges::find(probs, decided->language, [](auto& p) { return p.first; });
    result.push_back(static_cast<size_t>(found - probs.begin()));
  }
  return result;
}

std::vector<LanguageStretch> stretches_of(const std::vector<SpokenPiece>& pieces,
                                          int64_t audio_length) {
  LanguageCourse course;
  StretchBuilder builder;
  for (const SpokenPiece& piece : pieces) course.add(piece);
  course.decide(std::numeric_limits<int64_t>::max());
  while (const auto decided = course.next()) builder.add(*decided);
  builder.finish(audio_length);
  return {builder.stretches().begin(), builder.stretches().end()};
}

TEST(LikeliestCourse, DoesNotChangeForLittle) {
  // Short, or unsure: the language before and after goes on.
  EXPECT_THAT(likeliest_course(std::vector{piece(0, 5, 0.9F, 0.05F), piece(6, 7, 0.1F, 0.8F),
                                           piece(8, 12, 0.9F, 0.05F)}),
              ElementsAre(0, 0, 0));
  EXPECT_THAT(likeliest_course(std::vector{piece(0, 5, 0.9F, 0.05F), piece(6, 11, 0.4F, 0.5F),
                                           piece(12, 16, 0.9F, 0.05F)}),
              ElementsAre(0, 0, 0));
  EXPECT_THAT(likeliest_course({}), IsEmpty());
}

TEST(LikeliestCourse, ChangesWithSureSpeech) {
  EXPECT_THAT(likeliest_course(std::vector{piece(0, 5, 0.98F, 0.01F), piece(6, 10, 0.01F, 0.98F),
                                           piece(11, 15, 0.98F, 0.01F)}),
              ElementsAre(0, 1, 0));
  // What comes later makes up the mind about a beginning that is unsure.
  EXPECT_THAT(likeliest_course(std::vector{piece(0, 2, 0.5F, 0.4F), piece(3, 8, 0.02F, 0.95F)}),
              ElementsAre(1, 1));
}

TEST(LikeliestAfter, PrefersTheLanguageBefore) {
  const LanguageProbs unsure = {{"en", 0.5F}, {"de", 0.4F}};
  EXPECT_EQ(likeliest_after("", unsure, 4 * kSecond), "en");
  EXPECT_EQ(likeliest_after("de", unsure, 4 * kSecond), "de");
  const LanguageProbs sure = {{"en", 0.99F}, {"de", 0.001F}};
  EXPECT_EQ(likeliest_after("de", sure, 4 * kSecond), "en");
  EXPECT_EQ(likeliest_after("de", sure, kSecond), "de");
}

const std::vector<SpokenPiece> kEnglishThenGerman = {
    piece(1, 6, 0.9F, 0.1F), piece(7, 12, 0.8F, 0.2F), piece(22, 27, 0.0F, 1.0F)};

TEST(Stretches, CoverTheRecordingAndEndInPauses) {
  const auto stretches = stretches_of(kEnglishThenGerman, 60 * kSecond);
  ASSERT_THAT(stretches, SizeIs(2));
  EXPECT_EQ(stretches[0].start, 0);
  EXPECT_EQ(stretches[0].language, "en");
  EXPECT_FLOAT_EQ(stretches[0].probability, 0.85F);
  EXPECT_EQ(stretches[0].end, stretches[1].start);
  EXPECT_NEAR(static_cast<double>(stretches[1].start) / kSecond, 21.6, 0.01);
  EXPECT_EQ(stretches[1].language, "de");
  EXPECT_EQ(stretches[1].end, 60 * kSecond);
  EXPECT_THAT(stretches_of({}, kSecond), IsEmpty());
}

/// A recording in English, German and English again, which the model needs not detect.
class Multilingual : public ::testing::Test {
 protected:
  Multilingual() { options_.best_of = 1; }

  Transcript walk(ScriptedRecording& model, const std::vector<LanguageStretch>& stretches) {
    options_.multilingual = true;
    const Tokenizer tokenizer(model.info().vocabulary, model.info().generation);
    const TranscribeOptions checked = checked_options(options_, model);
    MemorySound sound(audio_);
    KnownStretches known(stretches);
    const TranscribeCallbacks callbacks;
    return LongForm(model, tokenizer, sound, checked, callbacks, {}, &known).run();
  }

  static std::vector<std::string> languages(const Transcript& transcript) {
    std::vector<std::string> result;
    for (const Segment& segment : transcript.segments) result.push_back(segment.language);
    return result;
  }

  std::vector<float> audio_ = seconds_of_sound(40);
  TranscribeOptions options_;
  std::vector<LanguageStretch> stretches_ = {{0, 10 * kSecond, "en", 0.9F},
                                             {10 * kSecond, 25 * kSecond, "de", 0.8F},
                                             {25 * kSecond, 40 * kSecond, "en", 0.7F}};
  std::vector<WindowScript> script_ = {{{{at(0), word('a'), at(10)}}},
                                       {{{at(0), word('b'), at(15)}}},
                                       {{{at(0), word('c'), at(15)}}}};
};

TEST_F(Multilingual, AWindowIsCutWhereTheLanguageChanges) {
  ScriptedRecording model(script_);
  const Transcript transcript = walk(model, stretches_);
  EXPECT_EQ(model.windows, 3);
  EXPECT_EQ(transcript.text, " a b c");
  EXPECT_THAT(languages(transcript), ElementsAre("en", "de", "en"));
  EXPECT_DOUBLE_EQ(transcript.segments[1].start, 10);
  EXPECT_DOUBLE_EQ(transcript.segments[2].start, 25);
  EXPECT_EQ(transcript.language, "en");
  EXPECT_FLOAT_EQ(transcript.language_probability, 0.9F);
}

TEST_F(Multilingual, OnlyTextInTheSameLanguageIsThePrompt) {
  options_.initial_prompt = "x";
  ScriptedRecording model(script_);
  (void)walk(model, stretches_);
  EXPECT_THAT(model.prompts[1], ElementsAre(kSotPrev, word('x'), kSot, kEnglish, kTranscribe));
  EXPECT_THAT(model.prompts[2], ElementsAre(kSot, kGerman, kTranscribe));
  EXPECT_THAT(model.prompts[3], ElementsAre(kSotPrev, word('x'), at(0), word('a'), at(10), kSot,
                                            kEnglish, kTranscribe));
  options_.carry_initial_prompt = true;
  ScriptedRecording carried(script_);
  (void)walk(carried, stretches_);
  EXPECT_THAT(carried.prompts[2], ElementsAre(kSotPrev, word('x'), kSot, kGerman, kTranscribe));
}

TEST_F(Multilingual, ClipsAndStretchesMeet) {
  options_.clip_timestamps = {8, 12, 30, 31};
  ScriptedRecording model(script_);
  (void)walk(model, stretches_);
  EXPECT_EQ(model.windows, 3);
  EXPECT_THAT(model.prompts[1], ElementsAre(kSot, kEnglish, kTranscribe));
  EXPECT_THAT(model.prompts[2], ElementsAre(kSot, kGerman, kTranscribe));
  EXPECT_THAT(model.prompts[3], ::testing::Contains(kEnglish));
}

TEST_F(Multilingual, WithoutSpeechItIsOneLanguage) {
  ScriptedRecording model({{.attempts = {{at(0), word('x'), at(30)}}, .language = kFrench},
                           {.attempts = {{at(0), word('y'), at(10)}}}});
  EXPECT_THAT(languages(walk(model, {})), ElementsAre("fr", "fr"));
}

TEST_F(Multilingual, ABatchedWindowShowsOneLanguage) {
  options_.multilingual = true;
  options_.batch_size = 1;
  ScriptedRecording model(script_);
  const Tokenizer tokenizer(model.info().vocabulary, model.info().generation);
  const TranscribeOptions checked = checked_options(options_, model);
  const std::vector<SpeechSegment> speech = {
      {kSecond, 12 * kSecond}, {13 * kSecond, 24 * kSecond}, {26 * kSecond, 39 * kSecond}};
  MemorySound sound(audio_);
  KnownSpeech parts(speech);
  KnownStretches known(stretches_);
  const TranscribeCallbacks callbacks;
  const Transcript transcript =
      Batched({&model}, tokenizer, sound, parts, checked, callbacks, &known).run();
  EXPECT_EQ(model.windows, 3);  // all of it would fit into two
  EXPECT_THAT(model.prompts[1], ElementsAre(kSot, kEnglish, kTranscribe));
  EXPECT_THAT(model.prompts[2], ElementsAre(kSot, kGerman, kTranscribe));
  EXPECT_THAT(languages(transcript), ElementsAre("en", "de", "en"));
  EXPECT_EQ(transcript.language, "en");
}

std::string error_of(const TranscribeOptions& options, bool multilingual = true) {
  ScriptedRecording model({}, multilingual);
  try {
    (void)transcriber_over(model).transcribe(seconds_of_sound(1), options);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Languages, AVoteOverSeveralWindowsUntilOneIsSure) {
  const auto window = [](int language, float sureness) {
    return WindowScript{.attempts = {{at(0), word('a'), at(30)}},
                        .language = language,
                        .language_sureness = sureness};
  };
  TranscribeOptions options;
  options.best_of = 1;
  const auto detected = [&](std::vector<WindowScript> script) {
    ScriptedRecording model(std::move(script));
    const Tokenizer tokenizer(model.info().vocabulary, model.info().generation);
    const TranscribeOptions checked = checked_options(options, model);
    const std::vector<float> audio = seconds_of_sound(90);
    MemorySound sound(audio);
    const TranscribeCallbacks callbacks;
    return LongForm(model, tokenizer, sound, checked, callbacks).run().language;  // all is speech
  };
  const std::vector<WindowScript> wavering = {window(kEnglish, 0.1F), window(kGerman, 0.1F),
                                              window(kGerman, 0.1F)};
  EXPECT_EQ(detected(wavering), "de");
  options.language_detection_segments = 1;
  EXPECT_EQ(detected(wavering), "en");  // one window decides
  options.language_detection_segments = 3;
  EXPECT_EQ(detected({window(kFrench, 0.1F), window(kEnglish, 9), window(kGerman, 9)}), "en");
  options.language_detection_threshold = 0.3F;
  EXPECT_EQ(detected(wavering), "en");
  options.language = "auto";
  EXPECT_EQ(detected(wavering), "en");
}

TEST(Languages, AShortRecordingIsEncodedOnceWhenItsLanguageIsPlain) {
  TranscribeOptions options;
  options.best_of = 1;
  const WindowScript plain{.attempts = {{at(0), word('a'), at(9)}}, .language = kGerman};
  ScriptedRecording once({plain});
  EXPECT_EQ(transcriber_over(once).transcribe(seconds_of_sound(10), options).language, "de");
  EXPECT_EQ(once.windows, 1);

  // Else the window that silence fills up, as the reference's, decides.
  WindowScript doubtful = plain;
  doubtful.language = kEnglish;
  doubtful.language_sureness = 0.1F;
  ScriptedRecording again({doubtful, plain, plain});
  EXPECT_EQ(transcriber_over(again).transcribe(seconds_of_sound(10), options).language, "de");
  EXPECT_EQ(again.windows, 3);
}

TEST(Languages, RestrictTheDetection) {
  // To detect on, in doubt again with silence, and to decode.
  const std::vector<WindowScript> script(
      3, {.attempts = {{at(0), word('a'), at(9)}}, .language = kGerman});
  TranscribeOptions options;
  options.best_of = 1;
  ScriptedRecording free(script);
  EXPECT_EQ(transcriber_over(free).transcribe(seconds_of_sound(10), options).language, "de");
  options.languages = {"English", "fr"};
  ScriptedRecording restricted(script);
  const Transcript transcript =
      transcriber_over(restricted).transcribe(seconds_of_sound(10), options);
  EXPECT_EQ(transcript.language, "en");
  EXPECT_EQ(transcript.segments.at(0).language, "en");
  ScriptedRecording asked(script);
  EXPECT_THAT(transcriber_over(asked).detect_language(seconds_of_sound(10), options),
              ElementsAre(Pair("en", FloatEq(0.5F)), Pair("fr", FloatEq(0.5F))));
}

TEST(Languages, ThatCannotBeAreErrors) {
  TranscribeOptions options;
  options.languages = {"de", "klingon"};
  EXPECT_THAT(error_of(options), HasSubstr("klingon"));
  options.languages = {"de", "it"};
  EXPECT_THAT(error_of(options), HasSubstr("does not know"));
  options.languages = {"en", "de"};
  EXPECT_EQ(error_of(options), "");
  EXPECT_THAT(error_of(options, false), HasSubstr("English-only"));
  options.language = "de";
  EXPECT_THAT(error_of(options), HasSubstr("cannot be given together"));
  options.language.reset();
  options.language_detection_threshold = 2;
  EXPECT_THAT(error_of(options), HasSubstr("language_detection_threshold"));
}

}  // namespace
}  // namespace whisper_s4y
