// The walk over a recording, on scripts of what the model says in each window.
#include "transcribe/long_form.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "scripted_recording.h"
#include "whisper_s4y/error.h"

namespace whisper_s4y {
namespace {

using namespace testing;  // the toy model
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using Tokens = std::vector<int>;

/// Counts the windows of which padding was left out.
class SamplingRecording : public ScriptedRecording {
 public:
  using ScriptedRecording::ScriptedRecording;
  [[nodiscard]] bool can_sample() const override { return true; }
  void encode_sampled(std::span<const float> input_features,
                      const WindowPositions& positions) override {
    ++sampled;
    contiguous = positions.contiguous;
    encode(input_features);
  }

  int sampled = 0;
  size_t contiguous = 0;  // of the last one
};

// " a" from the first to the second time.
Tokens sentence(double start, char letter, double end) {
  return {at(start), word(letter), at(end)};
}

Tokens joined(const Tokens& left, const Tokens& right) {
  Tokens all = left;
  all.insert(all.end(), right.begin(), right.end());
  return all;
}

TranscribeOptions english() {
  TranscribeOptions options;
  options.language = "en";
  options.best_of = 1;
  return options;
}

Transcript transcribe(ScriptedRecording& model, double seconds, const TranscribeOptions& options,
                      const TranscribeCallbacks& callbacks = {}) {
  return transcriber_over(model).transcribe(seconds_of_sound(seconds), options, callbacks);
}

std::vector<std::string> texts(const Transcript& transcript) {
  std::vector<std::string> result;
  for (const Segment& segment : transcript.segments) result.push_back(segment.text);
  return result;
}

std::string error_of(const TranscribeOptions& options, bool multilingual = true) {
  ScriptedRecording model({}, multilingual);
  try {
    (void)transcribe(model, 1, options);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(LongForm, TextThatIsCutOffIsDecodedAgainWithWhatFollows) {
  ScriptedRecording model(
      {{{joined(sentence(0, 'a', 10), {at(10), word('b'), word('c')})}}, {{sentence(0, 'd', 25)}}});
  const Transcript transcript = transcribe(model, 35, english());
  EXPECT_THAT(texts(transcript), ElementsAre(" a", " d"));
  EXPECT_EQ(transcript.text, " a d");
  EXPECT_EQ(transcript.segments[1].seek, 1000);
  EXPECT_DOUBLE_EQ(transcript.segments[1].start, 10);
  EXPECT_DOUBLE_EQ(transcript.segments[1].end, 35);
  EXPECT_EQ(transcript.segments[1].id, 1);
  EXPECT_EQ(model.windows, 2);
}

TEST(LongForm, ASingleTimestampAtTheEndSaysThatNoSpeechFollows) {
  ScriptedRecording model({{{sentence(0, 'a', 4)}}, {{sentence(0, 'b', 4)}}});
  const Transcript transcript = transcribe(model, 60, english());
  EXPECT_THAT(texts(transcript), ElementsAre(" a", " b"));
  EXPECT_EQ(transcript.segments[1].seek, 3000);
}

TEST(LongForm, AShortRestInWhichNobodySpeaksIsLeftOut) {
  LoudDetector detector;
  const auto texts_of = [&](double loud_from) {
    ScriptedRecording model({{{sentence(0, 'a', 4)}}, {{sentence(0, 'b', 1)}}});
    const Tokenizer tokenizer(model.info().vocabulary, model.info().generation);
    const TranscribeOptions options = english();
    std::vector<float> audio = seconds_of_sound(31.5);
    std::fill(audio.begin() + static_cast<ptrdiff_t>(loud_from * 16000), audio.end(), 1.0F);
    const TranscribeCallbacks callbacks;
    MemorySound sound(audio);
    return texts(LongForm(model, tokenizer, sound, options, callbacks, [&]() -> SpeechDetector& {
                   return detector;
                 }).run());
  };
  EXPECT_THAT(texts_of(31.5), ElementsAre(" a"));
  EXPECT_THAT(texts_of(31.0), ElementsAre(" a", " b"));
}

TEST(LongForm, NothingEndsAfterTheRecording) {
  ScriptedRecording model({{{joined(joined(sentence(0, 'a', 7), sentence(7, 'b', 20)),
                                    joined(sentence(9, 'c', 12), sentence(13, 'd', 16)))}}});
  const Transcript transcript = transcribe(model, 8.7, english());
  EXPECT_THAT(texts(transcript), ElementsAre(" a", " b"));
  EXPECT_EQ(transcript.text, " a b");
  EXPECT_DOUBLE_EQ(transcript.segments[1].end, 8.7);
}

TEST(LongForm, ClipTimestampsAreTheOnlyPartsHeard) {
  ScriptedRecording model({{{sentence(0, 'a', 2)}}, {{sentence(0, 'b', 2)}}});
  TranscribeOptions options = english();
  options.clip_timestamps = {5, 8, 50};
  const Transcript transcript = transcribe(model, 60, options);
  EXPECT_THAT(texts(transcript), ElementsAre(" a", " b"));
  EXPECT_DOUBLE_EQ(transcript.segments[0].start, 5);
  EXPECT_DOUBLE_EQ(transcript.segments[1].start, 50);
  EXPECT_EQ(model.windows, 2);
  options.clip_timestamps = {5, 3};
  EXPECT_THAT(error_of(options), HasSubstr("ends at 3 s"));
}

TEST(Fallback, RepetitiveTextIsTriedAgain) {
  const Tokens loop = joined({at(0)}, joined(Tokens(60, word('a')), {at(9)}));
  const WindowScript script{{loop, {at(0), word('b'), at(9)}}};
  TranscribeOptions options = english();
  ScriptedRecording model({script});
  Transcript transcript = transcribe(model, 10, options);
  EXPECT_THAT(texts(transcript), ElementsAre(" b"));
  EXPECT_FLOAT_EQ(transcript.segments[0].temperature, 0.2F);

  options.compression_ratio_threshold.reset();
  ScriptedRecording again({script});
  transcript = transcribe(again, 10, options);
  EXPECT_EQ(transcript.segments[0].temperature, 0.0F);
  EXPECT_GT(transcript.segments[0].compression_ratio, 2.4F);
}

TEST(Fallback, UnlikelyTextIsTriedAgainAndTheLastTryIsKept) {
  const WindowScript unsure{.attempts = {sentence(0, 'a', 9)}, .sureness = 8.0F};
  TranscribeOptions options = english();
  options.temperatures = {0.0F, 0.01F, 0.02F};
  options.logprob_threshold = -0.001F;
  ScriptedRecording model({unsure});
  const Transcript transcript = transcribe(model, 10, options);
  EXPECT_FLOAT_EQ(transcript.segments.at(0).temperature, 0.02F);

  options.logprob_threshold = -10.0F;
  ScriptedRecording again({unsure});
  EXPECT_EQ(transcribe(again, 10, options).segments.at(0).temperature, 0.0F);
}

TEST(AudioContext, OfShortWindowsPaddingIsLeftOut) {
  const WindowScript script{{sentence(0, 'a', 2)}};
  TranscribeOptions options = english();
  options.audio_context = "auto";
  SamplingRecording automatic({script});
  EXPECT_THAT(texts(transcribe(automatic, 3, options)), ElementsAre(" a"));
  EXPECT_EQ(automatic.sampled, 1);
  EXPECT_EQ(automatic.windows, 1);
  EXPECT_EQ(automatic.contiguous, 201U);  // 1 s

  options.audio_context = "2.5";
  SamplingRecording chosen({script});
  (void)transcribe(chosen, 3, options);
  EXPECT_EQ(chosen.contiguous, 276U);

  SamplingRecording full({script});
  (void)transcribe(full, 3, english());
  EXPECT_EQ(full.sampled, 0);

  const WindowScript first{{joined(sentence(0, 'a', 20), {at(20)})}};
  SamplingRecording last({first, script});
  options.audio_context = "auto";
  (void)transcribe(last, 27, options);
  EXPECT_EQ(last.windows, 2);
  EXPECT_EQ(last.sampled, 1);
}

TEST(AudioContext, WhatDoesNotPassIsEncodedInFull) {
  const WindowScript unsure{.attempts = {sentence(0, 'a', 2)}, .sureness = 8.0F};
  const Tokens loop = joined({at(0)}, joined(Tokens(60, word('a')), {at(2)}));
  const WindowScript repetitive{{loop}};
  Tokens letters = {at(0)};
  for (int i = 0; i < 300; ++i) letters.push_back(word(static_cast<char>('a' + i * i % 7)));
  const WindowScript endless{{letters}};
  const WindowScript better{{sentence(0, 'b', 2)}};
  TranscribeOptions options = english();
  options.audio_context = "auto";
  options.logprob_threshold = -0.001F;
  for (const WindowScript& script : {unsure, repetitive}) {
    SamplingRecording model({script, better});
    const Transcript transcript = transcribe(model, 3, options);
    EXPECT_THAT(texts(transcript), ElementsAre(" b"));
    EXPECT_EQ(transcript.segments[0].temperature, 0.0F);
    EXPECT_EQ(model.windows, 2);
    EXPECT_EQ(model.sampled, 1);
  }
  // Neither unlikely nor repetitive by these.
  options.logprob_threshold.reset();
  options.compression_ratio_threshold.reset();
  options.loop_guard = false;
  SamplingRecording model({endless, better});
  EXPECT_THAT(texts(transcribe(model, 3, options)), ElementsAre(" b"));
  EXPECT_EQ(model.windows, 2);
}

TEST(AudioContext, ATextThatWasCutOnRequestPasses) {
  TranscribeOptions options = english();
  options.audio_context = "auto";
  options.max_new_tokens = 2;
  SamplingRecording model({WindowScript{{sentence(0, 'a', 2)}}});
  (void)transcribe(model, 3, options);
  EXPECT_EQ(model.windows, 1);
}

TEST(AudioContext, WhoCannotSampleEncodesInFullUnlessToldSeconds) {
  TranscribeOptions options = english();
  options.audio_context = "auto";
  EXPECT_EQ(error_of(options), "");
  options.audio_context = "2";
  EXPECT_THAT(error_of(options), HasSubstr("encodes whole windows only; use auto or full."));
}

TEST(Fallback, AWindowThatIsUnlikelyAndSilentGivesNothing) {
  const WindowScript silent{
      .attempts = {sentence(0, 'a', 9)}, .no_speech_logit = 15.0F, .sureness = 8.0F};
  TranscribeOptions options = english();
  options.logprob_threshold = -0.001F;
  ScriptedRecording model({silent});
  EXPECT_THAT(transcribe(model, 10, options).segments, IsEmpty());

  options.no_speech_threshold.reset();
  options.temperatures = {0.0F};
  ScriptedRecording again({silent});
  const Transcript heard = transcribe(again, 10, options);
  ASSERT_THAT(heard.segments, SizeIs(1));
  EXPECT_GT(heard.segments[0].no_speech_prob, 0.9F);

  options = english();  // likely text is speech, however sure the model is that there is none
  ScriptedRecording likely({{.attempts = {sentence(0, 'a', 9)}, .no_speech_logit = 15.0F}});
  EXPECT_THAT(transcribe(likely, 10, options).segments, SizeIs(1));
}

class Prompts : public ::testing::Test {
 protected:
  /// Start tokens of each of three windows, without <|startoftranscript|> and what follows.
  static std::vector<Tokens> of(const TranscribeOptions& options, float sureness = 20.0F) {
    std::vector<WindowScript> script(3);
    for (size_t i = 0; i < 3; ++i) {
      script[i].attempts = {sentence(0, static_cast<char>('a' + i), 30)};
      script[i].sureness = sureness;
    }
    ScriptedRecording model(script);
    (void)transcribe(model, 90, options);
    std::vector<Tokens> result;
    for (auto& [window, tokens] : model.prompts) {
      result.emplace_back(tokens.begin(), std::find(tokens.begin(), tokens.end(), kSot));
    }
    return result;
  }
};

TEST_F(Prompts, AreTheTextSoFar) {
  const auto first = joined({kSotPrev}, sentence(0, 'a', 30));
  EXPECT_THAT(of(english()), ElementsAre(Tokens{}, first, joined(first, sentence(0, 'b', 30))));
}

TEST_F(Prompts, AreLeftOutWithoutConditioning) {
  TranscribeOptions options = english();
  options.condition_on_previous_text = false;
  EXPECT_THAT(of(options), ElementsAre(Tokens{}, Tokens{}, Tokens{}));
  options.initial_prompt = "x";
  EXPECT_THAT(of(options), ElementsAre(Tokens{kSotPrev, word('x')}, Tokens{}, Tokens{}));
  options.carry_initial_prompt = true;
  const Tokens carried{kSotPrev, word('x')};
  EXPECT_THAT(of(options), ElementsAre(carried, carried, carried));
}

TEST_F(Prompts, ForgetTextOfAHighTemperature) {
  TranscribeOptions options = english();
  options.temperatures = {0.6F};
  EXPECT_THAT(of(options), ElementsAre(Tokens{}, Tokens{}, Tokens{}));
  options.prompt_reset_on_temperature = 0.7F;
  EXPECT_THAT(of(options)[1], ElementsAre(kSotPrev, at(0), word('a'), at(30)));
}

TEST_F(Prompts, BeginWithHotwords) {
  TranscribeOptions options = english();
  options.hotwords = "y z";
  EXPECT_THAT(of(options)[0], ElementsAre(kSotPrev, word('y'), word('z')));
  EXPECT_THAT(of(options)[1],
              ElementsAre(kSotPrev, word('y'), word('z'), at(0), word('a'), at(30)));
}

TEST_F(Prompts, KeepTheLastOfALongText) {
  TranscribeOptions options = english();
  for (int i = 0; i < 300; ++i) options.initial_prompt += i < 50 ? " a" : " b";
  options.carry_initial_prompt = true;
  const auto prompts = of(options);
  EXPECT_EQ(prompts[0].size(), 1U + 223U);
  EXPECT_EQ(prompts[0][1], word('b'));
  EXPECT_EQ(prompts[1], prompts[0]);  // the carried prompt leaves no room
}

/// Knows when each word of a window was spoken, and how likely it is.
class AligningRecording : public ScriptedRecording {
 public:
  struct Spoken {
    double start;
    double end;
    float probability;
  };

  AligningRecording(std::vector<WindowScript> script, std::map<int, Spoken> words)
      : ScriptedRecording(std::move(script)), words_(std::move(words)) {}

  [[nodiscard]] bool can_align() const override { return true; }
  AlignmentScores align(std::span<const int> tokens) override {
    constexpr size_t kWidth = 1500;
    scores_.assign(tokens.size() * kWidth, 0.0F);
    probs_.assign(tokens.size(), 1.0F);
    double end = 0;
    for (size_t row = 0; row + 1 < tokens.size(); ++row) {
      // What stands in a row is the token after it; the silence that follows belongs to no word.
      const auto said = words_.find(tokens[row + 1]);
      if (said == words_.end() && tokens[row + 1] != kEot) continue;
      const double start = said != words_.end() ? said->second.start : end;
      end = said != words_.end() ? said->second.end : 30;
      probs_[row] = said != words_.end() ? said->second.probability : 1.0F;
      for (auto i = static_cast<size_t>(50 * start); i < static_cast<size_t>(50 * end); ++i) {
        scores_[row * kWidth + i] = 9.0F;
      }
    }
    return {.scores = scores_,
            .heads = 1,
            .rows = static_cast<int>(tokens.size()),
            .positions = static_cast<int>(kWidth),
            .next_token_probs = probs_};
  }

 private:
  std::map<int, Spoken> words_;
  std::vector<float> scores_;
  std::vector<float> probs_;
};

TEST(LongForm, ImprobableTextInSilenceIsLeftOutOnRequest) {
  const std::vector<WindowScript> script = {
      {{joined(sentence(0, 'a', 1), joined(sentence(12, 'b', 13), sentence(27, 'c', 28)))}},
      {{sentence(15, 'd', 16)}}};
  const std::map<int, AligningRecording::Spoken> words = {{word('a'), {0.2, 0.8, 0.9F}},
                                                          {word('b'), {12.2, 12.8, 0.01F}},
                                                          {word('c'), {27.2, 27.8, 0.9F}},
                                                          {word('d'), {15.2, 15.8, 0.9F}}};
  TranscribeOptions options = english();
  options.word_timestamps = true;
  AligningRecording plain(script, words);
  EXPECT_THAT(texts(transcribe(plain, 28.5, options)), ElementsAre(" a", " b", " c"));
  // The window ends before " b" and the next one begins there.
  options.hallucination_silence_threshold = 2;
  AligningRecording careful(script, words);
  const Transcript transcript = transcribe(careful, 28.5, options);
  EXPECT_THAT(texts(transcript), ElementsAre(" a", " d"));
  EXPECT_NEAR(transcript.segments.at(1).seek, 1200, 50);
  options.hallucination_silence_threshold = 20;  // there is no such silence
  AligningRecording patient(script, words);
  EXPECT_THAT(texts(transcribe(patient, 28.5, options)), ElementsAre(" a", " b", " c"));
}

TEST(LongForm, APrefixBeginsTheFirstWindowOnly) {
  ScriptedRecording model(
      {{{joined({at(0), word('p')}, {word('a'), at(30)})}}, {{sentence(0, 'b', 30)}}});
  TranscribeOptions options = english();
  options.prefix = "p";
  EXPECT_EQ(transcribe(model, 60, options).text, " p a b");
}

TEST(Languages, AreGivenByCodeNameOrAlias) {
  for (const char* name : {"de", "German", "GERMAN", "de-AT"}) {
    ScriptedRecording model({{.attempts = {sentence(0, 'a', 9)}}});
    TranscribeOptions options = english();
    options.language = name;
    EXPECT_EQ(transcribe(model, 10, options).language, "de") << name;
    EXPECT_THAT(model.prompts[1], ElementsAre(kSot, kGerman, kTranscribe));
  }
  TranscribeOptions options;
  options.language = "klingon";
  EXPECT_THAT(error_of(options), HasSubstr("klingon"));
  options.language = "it";  // a language, but none of the model's
  EXPECT_THAT(error_of(options), HasSubstr("does not know"));
}

TEST(Languages, TranslationIsATask) {
  ScriptedRecording model({{.attempts = {sentence(0, 'a', 9)}}});
  TranscribeOptions options = english();
  options.language = "fr";
  options.task = "translate";
  (void)transcribe(model, 10, options);
  EXPECT_THAT(model.prompts[1], ElementsAre(kSot, kFrench, kTranslate));
}

TEST(Callbacks, HearSegmentsAndProgressInOrderAndMayStop) {
  ScriptedRecording model({{{sentence(0, 'a', 30)}}, {{sentence(0, 'b', 30)}}, {{}}});
  std::vector<std::string> heard;
  std::vector<double> progress;
  TranscribeCallbacks callbacks;
  callbacks.on_segment = [&](const Segment& segment) { heard.push_back(segment.text); };
  callbacks.on_progress = [&](double done, double total) {
    progress.push_back(done);
    EXPECT_DOUBLE_EQ(total, 90);
  };
  callbacks.cancelled = [&] { return heard.size() == 2; };
  const Transcript transcript = transcribe(model, 90, english(), callbacks);
  EXPECT_THAT(heard, ElementsAre(" a", " b"));
  EXPECT_THAT(progress, ElementsAre(0, 30, 60));
  EXPECT_THAT(transcript.segments, SizeIs(2));
}

TEST(Callbacks, HearProgressWithinAWindow) {
  // It is decoded twice: what was told stays so.
  const Tokens text = joined(sentence(0, 'a', 4), sentence(5, 'b', 12));
  ScriptedRecording model({{.attempts = {text, sentence(0, 'c', 8)}, .sureness = 8.0F}});
  std::vector<double> progress;
  TranscribeCallbacks callbacks;
  callbacks.on_progress = [&](double done, double total) {
    progress.push_back(done);
    EXPECT_DOUBLE_EQ(total, 20.004);
  };
  TranscribeOptions options = english();
  options.temperatures = {0.0F, 0.01F};
  options.logprob_threshold = -0.001F;
  const Transcript transcript = transcribe(model, 20.004, options, callbacks);
  EXPECT_EQ(transcript.text, " c");
  EXPECT_THAT(progress, ElementsAre(0, 4, 5, 12, 20, 20.004));
}

TEST(Callbacks, CancelledOnceIsCancelledInAllClips) {
  ScriptedRecording model(
      {{{sentence(0, 'a', 10)}}, {{sentence(0, 'b', 10)}}, {{sentence(0, 'c', 10)}}});
  bool has_text = false;
  int asked = 0;  // since then
  TranscribeCallbacks callbacks;
  callbacks.on_segment = [&](const Segment&) { has_text = true; };
  callbacks.cancelled = [&] { return has_text && ++asked == 1; };
  TranscribeOptions options = english();
  options.clip_timestamps = {0, 10, 20, 30, 40, 50};
  const Transcript transcript = transcribe(model, 90, options, callbacks);
  EXPECT_EQ(asked, 1);
  EXPECT_THAT(transcript.segments, SizeIs(1));
  EXPECT_TRUE(transcript.is_cut);
}

TEST(Callbacks, WhatTheyThrowIsThrown) {
  ScriptedRecording model({{{sentence(0, 'a', 30)}}, {{sentence(0, 'b', 30)}}});
  TranscribeCallbacks callbacks;
  struct Mine {};
  callbacks.on_segment = [](const Segment&) { throw Mine(); };
  EXPECT_THROW((void)transcribe(model, 60, english(), callbacks), Mine);
}

TEST(Options, ThatContradictAreErrors) {
  const auto with = [](auto change) {
    TranscribeOptions options = english();
    change(options);
    return error_of(options);
  };
  EXPECT_EQ(with([](auto&) {}), "");
  EXPECT_THAT(with([](auto& o) { o.temperatures = {}; }), HasSubstr("temperature"));
  EXPECT_THAT(with([](auto& o) { o.multilingual = true; }), HasSubstr("together"));
  EXPECT_THAT(with([](auto& o) { o.language_detection_segments = 0; }), HasSubstr("segments"));
  EXPECT_THAT(with([](auto& o) { o.hallucination_silence_threshold = 2; }),
              HasSubstr("needs word_timestamps"));
  EXPECT_THAT(with([](auto& o) { o.word_timestamps = true; }), HasSubstr("align"));
  EXPECT_THAT(with([](auto& o) { o.carry_initial_prompt = true; }), HasSubstr("initial_prompt"));
  EXPECT_THAT(with([](auto& o) { o.hotwords = o.prefix = "x"; }), HasSubstr("together"));
  EXPECT_THAT(with([](auto& o) { o.batch_size = -1; }), HasSubstr("batch_size"));
  EXPECT_THAT(with([](auto& o) { o.vad_options.emplace(); }), HasSubstr("vad_filter"));
  EXPECT_THAT(with([](auto& o) { o.clip_timestamps = {-1}; }), HasSubstr("-1"));
  TranscribeOptions multilingual;
  multilingual.multilingual = true;
  EXPECT_THAT(error_of(multilingual, false), HasSubstr("English-only"));
}

}  // namespace
}  // namespace whisper_s4y
