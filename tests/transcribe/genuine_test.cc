// Genuine models on recordings.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <numbers>
#include <random>
#include <sstream>

#include "checkpoint/checkpoint.h"
#include "decoding/compression_ratio.h"
#include "formats/open_checkpoint.h"
#include "models/write_bundle.h"
#include "support/files.h"
#include "whisper_s4y/audio.h"
#include "whisper_s4y/evaluate.h"
#include "whisper_s4y/model.h"
#include "whisper_s4y/transcriber.h"

namespace whisper_s4y {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr size_t kSecond = 16000;

/// Converts tiny.en with int8 weights once; each model once a test.
class Genuine : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    const auto checkpoint = genuine_checkpoint("tiny.en/ct2");
    if (checkpoint.empty()) return;
    folder_ = std::make_unique<TemporaryFolder>();
    BundleOptions options;
    options.recipe = recipe_of_name("int8");
    write_bundle(*open_checkpoint(checkpoint), *folder_ / "tiny.en.tflite", options);
    RuntimeOptions runtime;
    runtime.cache_dir = *folder_ / "cache";
    model_ = std::make_unique<Model>(*folder_ / "tiny.en.tflite", runtime);
    transcriber_ = std::make_unique<Transcriber>(*model_);
  }
  static void TearDownTestSuite() {
    transcriber_.reset();
    model_.reset();
    folder_.reset();
  }
  void SetUp() override {
    if (!transcriber_) GTEST_SKIP() << "needs WHISPER_S4Y_CHECKPOINTS";
  }

  static std::vector<float> jfk() { return load_audio(source_dir() / "examples" / "jfk.flac"); }
  static Transcript transcribe(const std::vector<float>& audio, const TranscribeOptions& options) {
    return transcriber_->transcribe(audio, options);
  }
  static Transcript transcribe(const TranscribeOptions& options) {
    return transcribe(jfk(), options);
  }

 private:
  static std::unique_ptr<TemporaryFolder> folder_;
  static std::unique_ptr<Model> model_;
  static std::unique_ptr<Transcriber> transcriber_;
};

std::unique_ptr<TemporaryFolder> Genuine::folder_;
std::unique_ptr<Model> Genuine::model_;
std::unique_ptr<Transcriber> Genuine::transcriber_;

std::vector<float> with_silence(double before, const std::vector<float>& audio, double after) {
  std::vector<float> result(static_cast<size_t>(before * kSecond));
  result.insert(result.end(), audio.begin(), audio.end());
  result.resize(result.size() + static_cast<size_t>(after * kSecond));
  return result;
}

TEST_F(Genuine, WordsHaveTheirTimes) {
  TranscribeOptions options;
  options.word_timestamps = true;
  const Transcript transcript = transcribe(options);
  std::map<std::string, Word> words;
  for (const Segment& segment : transcript.segments) {
    for (const Word& word : segment.words) {
      EXPECT_LE(word.start, word.end) << word.word;
      EXPECT_GT(word.probability, 0.1F) << word.word;
      words.emplace(normalize(word.word, "en"), word);
    }
  }
  // As openai/whisper's own test demands.
  ASSERT_TRUE(words.contains("americans"));
  EXPECT_LT(words["americans"].start, 1.8);
  EXPECT_GT(words["americans"].end, 1.8);
  EXPECT_NEAR(words["americans"].end, 2.26, 0.2);  // faster-whisper's, docs/accuracy.md
  EXPECT_NEAR(transcript.segments.back().end, 10.6, 0.5);
}

TEST_F(Genuine, PaddingThatIsLeftOutChangesNoTextAndNoTimes) {
  TranscribeOptions options;
  options.word_timestamps = true;
  options.audio_context = "full";
  const Transcript full = transcribe(options);
  for (const std::string context : {"auto", "0.5", "4"}) {
    options.audio_context = context;
    const Transcript sampled = transcribe(options);
    EXPECT_EQ(sampled.text, full.text) << context;
    ASSERT_EQ(sampled.segments.size(), full.segments.size());
    for (size_t i = 0; i < full.segments.size(); ++i) {
      const std::vector<Word>& words = full.segments[i].words;
      ASSERT_THAT(sampled.segments[i].words, SizeIs(words.size()));
      for (size_t w = 0; w < words.size(); ++w) {
        EXPECT_NEAR(sampled.segments[i].words[w].start, words[w].start, 0.1) << words[w].word;
      }
    }
  }
}

TEST_F(Genuine, TimesWithVadAreThoseOfTheRecording) {
  const auto audio = with_silence(21, jfk(), 12);
  TranscribeOptions options;
  options.word_timestamps = true;
  options.vad_filter = true;
  const Transcript transcript = transcribe(audio, options);
  EXPECT_THAT(transcript.text, HasSubstr("fellow Americans"));
  EXPECT_NEAR(transcript.segments.front().words.front().start, 21.2, 0.4);
  EXPECT_NEAR(transcript.segments.back().words.back().end, 31.6, 0.5);
  EXPECT_DOUBLE_EQ(transcript.duration, 44);

  options.batch_size = 2;
  const Transcript batched = transcribe(audio, options);
  EXPECT_THAT(batched.text, HasSubstr("fellow Americans"));
  EXPECT_NEAR(batched.segments.front().words.front().start, 21.2, 0.4);
}

TEST_F(Genuine, SilenceHasNoText) {
  std::vector<float> audio(60 * kSecond);
  EXPECT_THAT(transcribe(audio, {}).text, IsEmpty());
  std::mt19937 random(1);
  for (float& sample : audio) sample = static_cast<float>(random() % 3) / 32768.0F - 1 / 32768.0F;
  EXPECT_THAT(transcribe(audio, {}).text, IsEmpty());  // the last bit
  const Transcript after = transcribe(with_silence(30, jfk(), 60), {});
  EXPECT_GE(after.segments.front().start, 30);
  EXPECT_THAT(after.segments.back().text, HasSubstr("for your country"));
}

TEST_F(Genuine, SilenceNoiseAndTonesHaveNoTextWithVad) {
  TranscribeOptions options;
  options.vad_filter = true;
  std::vector<float> audio(60 * kSecond);
  EXPECT_THAT(transcribe(audio, options).segments, IsEmpty());
  std::mt19937 random(1);
  std::normal_distribution<float> noise(0.0F, 0.1F);
  for (float& sample : audio) sample = noise(random);
  EXPECT_THAT(transcribe(audio, options).segments, IsEmpty());
  // A chord that changes twice a second.
  const double notes[] = {220, 261.63, 329.63, 392, 440, 293.66};
  for (size_t i = 0; i < audio.size(); ++i) {
    const size_t bar = i / (kSecond / 2);
    const double time = static_cast<double>(i) / kSecond;
    double sum = 0;
    for (size_t voice = 0; voice < 3; ++voice) {
      sum += std::sin(2 * std::numbers::pi * notes[(bar + 2 * voice) % 6] * time);
    }
    audio[i] = static_cast<float>(0.1 * sum);
  }
  EXPECT_THAT(transcribe(audio, options).segments, IsEmpty());
  options.batch_size = 2;
  EXPECT_THAT(transcribe(audio, options).segments, IsEmpty());
}

TEST_F(Genuine, SamplesDependOnTheSeedAlone) {
  TranscribeOptions options;
  options.temperatures = {1.0F};
  options.best_of = 1;
  options.seed = 1;
  const Transcript once = transcribe(options);
  EXPECT_EQ(transcribe(options), once);
  options.seed = 2;
  EXPECT_NE(transcribe(options).text, once.text);
}

TEST_F(Genuine, OptionsShowInTheText) {
  TranscribeOptions options;
  options.without_timestamps = true;
  EXPECT_THAT(transcribe(options).segments, SizeIs(1));
  options.max_new_tokens = 4;
  EXPECT_EQ(transcribe(options).segments[0].tokens.size(), 4U);

  options = {};
  options.prefix = "Well then, my fellow";
  EXPECT_THAT(transcribe(options).text, StartsWith(" Well then, my fellow"));

  options = {};
  const Transcript plain = transcribe(options);
  options.suppress_tokens = {-1, plain.segments[0].tokens[1]};  // " And"
  EXPECT_THAT(transcribe(options).text, Not(StartsWith(" And")));

  options = {};
  options.clip_timestamps = {0, 3};
  EXPECT_THAT(transcribe(options).text, Not(HasSubstr("country")));

  options = {};
  options.no_repeat_ngram_size = 2;
  const std::string text = transcribe(options).text;  // says "your country" twice otherwise
  EXPECT_EQ(text.find("your country"), text.rfind("your country"));

  options = {};
  options.beam_size = 5;
  const Transcript beams = transcribe(options);
  EXPECT_THAT(beams.text, HasSubstr("fellow Americans"));
  EXPECT_GE(beams.segments[0].avg_logprob, plain.segments[0].avg_logprob - 0.01F);
}

/// The recordings of one chapter with pauses of half a second between, and what is said in them.
class Chapter : public Genuine {
 protected:
  void SetUp() override {
    Genuine::SetUp();
    if (IsSkipped()) return;
    std::ifstream manifest(shared_dir() / "speech" / "manifest.tsv");
    if (!manifest) GTEST_SKIP() << "needs ../shared/speech";
    for (std::string line; std::getline(manifest, line);) {
      if (!line.starts_with("librispeech-test-other_1688-142285-")) continue;
      const auto part = load_audio(shared_dir() / "speech" / line.substr(0, line.find('\t')));
      audio_.insert(audio_.end(), part.begin(), part.end());
      audio_.resize(audio_.size() + kSecond / 2);
      reference_ += ' ' + line.substr(line.rfind('\t') + 1);
    }
    ASSERT_GT(audio_.size(), 60 * kSecond);
  }

  double error_rate(const Transcript& transcript) const {
    return word_errors(normalize(reference_, "en"), normalize(transcript.text, "en")).rate();
  }

  std::vector<float> audio_;
  std::string reference_;
};

TEST_F(Chapter, IsTranscribedWithoutLoops) {
  const Transcript transcript = transcribe(audio_, {});
  EXPECT_LT(error_rate(transcript), 0.15);
  EXPECT_LT(compression_ratio(transcript.text), 2.4F);
  for (size_t i = 1; i < transcript.segments.size(); ++i) {
    EXPECT_GE(transcript.segments[i].start, transcript.segments[i - 1].end - 0.01);
  }
}

TEST_F(Chapter, IsTranscribedInBatches) {
  TranscribeOptions options;
  options.batch_size = 2;
  const Transcript transcript = transcribe(audio_, options);
  EXPECT_LT(error_rate(transcript), 0.15);
  options.batch_size = 1;
  EXPECT_EQ(transcribe(audio_, options).text, transcript.text);
}

/// base with int8 weights, converted once.
class GenuineLanguages : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    const auto checkpoint = genuine_checkpoint("base/ct2");
    if (checkpoint.empty()) return;
    folder_ = std::make_unique<TemporaryFolder>();
    BundleOptions options;
    options.recipe = recipe_of_name("int8");
    write_bundle(*open_checkpoint(checkpoint), *folder_ / "base.tflite", options);
    RuntimeOptions runtime;
    runtime.cache_dir = *folder_ / "cache";
    model_ = std::make_unique<Model>(*folder_ / "base.tflite", runtime);
    transcriber_ = std::make_unique<Transcriber>(*model_);
  }
  static void TearDownTestSuite() {
    transcriber_.reset();
    model_.reset();
    folder_.reset();
  }
  void SetUp() override {
    if (!transcriber_) GTEST_SKIP() << "needs WHISPER_S4Y_CHECKPOINTS";
    if (!std::filesystem::exists(shared_dir() / "speech")) GTEST_SKIP() << "needs ../shared";
  }

  static std::vector<float> speech(const std::string& code) {
    return load_audio(shared_dir() / "speech" / fmt::format("leopard_test_{}.wav", code));
  }
  /// A recording of ../shared/cases; nothing without it.
  static std::vector<float> reported(const char* path) {
    const auto file = shared_dir() / "cases" / path;
    return std::filesystem::exists(file) ? load_audio(file) : std::vector<float>();
  }
  /// The languages of the segments, each once where it begins.
  static std::vector<std::string> languages(const Transcript& transcript) {
    std::vector<std::string> result;
    for (const Segment& segment : transcript.segments) {
      if (result.empty() || result.back() != segment.language) result.push_back(segment.language);
    }
    return result;
  }

  static std::unique_ptr<TemporaryFolder> folder_;
  static std::unique_ptr<Model> model_;
  static std::unique_ptr<Transcriber> transcriber_;
};

std::unique_ptr<TemporaryFolder> GenuineLanguages::folder_;
std::unique_ptr<Model> GenuineLanguages::model_;
std::unique_ptr<Transcriber> GenuineLanguages::transcriber_;

TEST_F(GenuineLanguages, AreDetectedAndTranslated) {
  for (const char* code : {"de", "es", "fr", "ja"}) {
    EXPECT_EQ(transcriber_->detect_language(speech(code)).front().first, code);
  }
  TranscribeOptions translate;
  translate.task = "translate";
  translate.language = "German";
  const auto german = speech("de");
  const std::string english = transcriber_->transcribe(german, translate).text;
  EXPECT_EQ(english.find(" und "), std::string::npos) << english;
  EXPECT_NE(english, transcriber_->transcribe(german, {}).text);
}

TEST_F(GenuineLanguages, AreLookedForInSpeechAndNotInNoise) {
  const auto audio = reported("language-after-silence/noise40_es.opus");
  if (audio.empty()) GTEST_SKIP() << "needs ../shared/cases";
  EXPECT_EQ(transcriber_->detect_language(audio).front().first, "es");
  TranscribeOptions options;
  for (const bool batched : {false, true}) {
    options.batch_size = batched ? 2 : 0;
    const Transcript transcript = transcriber_->transcribe(audio, options);
    EXPECT_THAT(languages(transcript), ElementsAre("es"));
    EXPECT_THAT(transcript.text, HasSubstr("La sorpresa y el disgusto"));
    EXPECT_GE(transcript.segments.front().start, 30);  // nothing is made up of the noise
  }
}

TEST_F(GenuineLanguages, ChangeWithinARecording) {
  const auto audio = reported("multilingual-translated/en_de_es.opus");
  if (audio.empty()) GTEST_SKIP() << "needs ../shared/cases";
  TranscribeOptions options;
  options.multilingual = true;
  const auto expect_three = [&](const char* how) {
    const Transcript transcript = transcriber_->transcribe(audio, options);
    EXPECT_THAT(languages(transcript), ElementsAre("en", "de", "es")) << how;
    for (const char* text : {"ask not what your country", "Guten Tag", "La sorpresa"}) {
      EXPECT_THAT(transcript.text, HasSubstr(text)) << how;
    }
    EXPECT_EQ(transcript.language, "en") << how;
  };
  expect_three("plain");
  options.batch_size = 2;
  expect_three("batched");
  options.batch_size = 0;
  options.vad_filter = true;
  options.languages = {"es", "German", "en"};
  expect_three("vad");
}

TEST_F(GenuineLanguages, ChangeWithinAWindow) {
  std::vector<float> mixed;
  for (const char* code : {"de", "es", "fr"}) {
    const auto audio = speech(code);
    mixed.insert(mixed.end(), audio.begin(), audio.end());
    mixed.resize(mixed.size() + kSecond / 2);
  }
  TranscribeOptions options;
  options.multilingual = true;
  for (const bool batched : {false, true}) {
    options.batch_size = batched ? 2 : 0;
    const Transcript transcript = transcriber_->transcribe(mixed, options);
    EXPECT_THAT(languages(transcript), ElementsAre("de", "es", "fr"));
    for (const char* text : {"hinter diesem", "arenas", "consulat"}) {
      EXPECT_THAT(transcript.text, HasSubstr(text));
    }
  }
}

}  // namespace
}  // namespace whisper_s4y
