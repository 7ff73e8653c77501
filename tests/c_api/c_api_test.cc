#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "cli/small_model.h"
#include "support/files.h"
#include "whisper_s4y/whisper_s4y.h"

namespace whisper_s4y {
namespace {

using Json = nlohmann::json;
using ::testing::HasSubstr;

struct Destroy {
  void operator()(whisper_s4y_options* object) const { whisper_s4y_options_destroy(object); }
  void operator()(whisper_s4y_model* object) const { whisper_s4y_model_destroy(object); }
  void operator()(whisper_s4y_session* object) const { whisper_s4y_session_destroy(object); }
  void operator()(whisper_s4y_transcriber* object) const {
    whisper_s4y_transcriber_destroy(object);
  }
  void operator()(whisper_s4y_transcript* object) const { whisper_s4y_transcript_destroy(object); }
  void operator()(whisper_s4y_live* object) const { whisper_s4y_live_destroy(object); }
  void operator()(whisper_s4y_stream* object) const { whisper_s4y_stream_destroy(object); }
};
template <typename T>
using Owned = std::unique_ptr<T, Destroy>;

std::string taken(char* text) {
  std::string copy = text == nullptr ? "" : text;
  whisper_s4y_free(text);
  return copy;
}

Owned<whisper_s4y_options> options(whisper_s4y_options_kind kind, const char* json = "{}") {
  whisper_s4y_options* made = nullptr;
  EXPECT_EQ(whisper_s4y_options_create(kind, &made), WHISPER_S4Y_OK);
  EXPECT_EQ(whisper_s4y_options_set_json(made, json), WHISPER_S4Y_OK) << whisper_s4y_last_error();
  return Owned<whisper_s4y_options>(made);
}

Owned<whisper_s4y_model> open_small_model() {
  const auto runtime = options(WHISPER_S4Y_RUNTIME_OPTIONS, R"({"use_cache": false})");
  whisper_s4y_model* model = nullptr;
  EXPECT_EQ(whisper_s4y_model_open(small_model().c_str(), runtime.get(), &model), WHISPER_S4Y_OK)
      << whisper_s4y_last_error();
  return Owned<whisper_s4y_model>(model);
}

Owned<whisper_s4y_transcriber> transcriber_of(const Owned<whisper_s4y_model>& model) {
  whisper_s4y_transcriber* made = nullptr;
  EXPECT_EQ(whisper_s4y_transcriber_create(model.get(), &made), WHISPER_S4Y_OK)
      << whisper_s4y_last_error();
  return Owned<whisper_s4y_transcriber>(made);
}

std::vector<float> tone(double seconds) {
  std::vector<float> samples(static_cast<size_t>(seconds * WHISPER_S4Y_SAMPLE_RATE));
  for (size_t i = 0; i < samples.size(); ++i) {
    samples[i] = 0.3F * std::sin(0.2F * static_cast<float>(i % 5000));
  }
  return samples;
}

constexpr whisper_s4y_options_kind kKinds[] = {
    WHISPER_S4Y_TRANSCRIBE_OPTIONS, WHISPER_S4Y_VAD_OPTIONS,   WHISPER_S4Y_LIVE_OPTIONS,
    WHISPER_S4Y_OUTPUT_OPTIONS,     WHISPER_S4Y_AUDIO_OPTIONS, WHISPER_S4Y_RUNTIME_OPTIONS,
    WHISPER_S4Y_CONVERT_OPTIONS,    WHISPER_S4Y_PULL_OPTIONS,
};

TEST(COptions, DescribesEveryKind) {
  for (const auto kind : kKinds) {
    char* text = nullptr;
    ASSERT_EQ(whisper_s4y_options_describe(kind, &text), WHISPER_S4Y_OK);
    const Json rows = Json::parse(taken(text));
    EXPECT_GT(rows.size(), 2U);
    const auto all = options(kind);
    ASSERT_EQ(whisper_s4y_options_get_json(all.get(), &text), WHISPER_S4Y_OK);
    const Json defaults = Json::parse(taken(text));
    EXPECT_EQ(defaults.size(), rows.size());
    for (const Json& row : rows) {
      EXPECT_TRUE(defaults.contains(row["name"])) << row;
      EXPECT_FALSE(row["help"].get<std::string>().empty()) << row;
    }
  }
}

TEST(COptions, AreSetByNameAndLeftAsTheyWere) {
  const auto o = options(WHISPER_S4Y_TRANSCRIBE_OPTIONS);
  EXPECT_EQ(whisper_s4y_options_set(o.get(), "beam_size", "5"), WHISPER_S4Y_OK);
  EXPECT_EQ(whisper_s4y_options_set(o.get(), "temperatures", "0,0.4"), WHISPER_S4Y_OK);
  EXPECT_EQ(whisper_s4y_options_set(o.get(), "no_speech_threshold", "none"), WHISPER_S4Y_OK);
  char* before = nullptr;
  ASSERT_EQ(whisper_s4y_options_get_json(o.get(), &before), WHISPER_S4Y_OK);
  const Json json = Json::parse(before);
  EXPECT_EQ(json["beam_size"], 5);
  EXPECT_EQ(json["temperatures"].size(), 2U);
  EXPECT_TRUE(json["no_speech_threshold"].is_null());

  EXPECT_EQ(whisper_s4y_options_set(o.get(), "beam_sise", "5"), WHISPER_S4Y_INVALID_ARGUMENT);
  EXPECT_THAT(whisper_s4y_last_error(), HasSubstr("beam_sise"));
  EXPECT_EQ(whisper_s4y_options_set(o.get(), "beam_size", "many"), WHISPER_S4Y_INVALID_ARGUMENT);
  EXPECT_EQ(whisper_s4y_options_set(o.get(), "temperatures", ""), WHISPER_S4Y_INVALID_ARGUMENT);
  EXPECT_STREQ(whisper_s4y_last_error(), "temperatures must be 1 to 100 numbers, not 0.");
  EXPECT_EQ(whisper_s4y_options_set_json(o.get(), R"({"seed": 7, "beam_size": -3})"),
            WHISPER_S4Y_INVALID_ARGUMENT);
  EXPECT_EQ(whisper_s4y_options_set_json(o.get(), "{"), WHISPER_S4Y_INVALID_ARGUMENT);
  const std::string deep =
      R"({"temperatures": )" + std::string(60'000, '[') + std::string(60'000, ']') + "}";
  EXPECT_EQ(whisper_s4y_options_set_json(o.get(), deep.c_str()), WHISPER_S4Y_INVALID_ARGUMENT);
  EXPECT_THAT(whisper_s4y_last_error(), HasSubstr("nested more than 64 deep"));
  char* after = nullptr;
  ASSERT_EQ(whisper_s4y_options_get_json(o.get(), &after), WHISPER_S4Y_OK);
  EXPECT_STREQ(before, after);
  whisper_s4y_free(before);
  whisper_s4y_free(after);
}

TEST(COptions, OfAnotherKindAreRefused) {
  const auto model = open_small_model();
  const auto transcriber = transcriber_of(model);
  const auto vad = options(WHISPER_S4Y_VAD_OPTIONS);
  const auto samples = tone(1);
  whisper_s4y_transcript* transcript = nullptr;
  EXPECT_EQ(whisper_s4y_transcribe(transcriber.get(), samples.data(), samples.size(), vad.get(),
                                   nullptr, &transcript),
            WHISPER_S4Y_INVALID_ARGUMENT);
  EXPECT_THAT(whisper_s4y_last_error(), HasSubstr("VAD_OPTIONS"));
  EXPECT_EQ(transcript, nullptr);
}

TEST(CApi, RefusesNull) {
  char* text = nullptr;
  whisper_s4y_model* model = nullptr;
  whisper_s4y_segment segment = WHISPER_S4Y_INIT(whisper_s4y_segment);
  EXPECT_EQ(whisper_s4y_model_open(nullptr, nullptr, &model), WHISPER_S4Y_INVALID_ARGUMENT);
  EXPECT_THAT(whisper_s4y_last_error(), HasSubstr("path"));
  EXPECT_EQ(whisper_s4y_model_open("x", nullptr, nullptr), WHISPER_S4Y_INVALID_ARGUMENT);
  EXPECT_EQ(whisper_s4y_model_info(nullptr, &text), WHISPER_S4Y_INVALID_ARGUMENT);
  EXPECT_EQ(whisper_s4y_options_set(nullptr, "a", "b"), WHISPER_S4Y_INVALID_ARGUMENT);
  EXPECT_EQ(whisper_s4y_transcript_segment(nullptr, 0, &segment), WHISPER_S4Y_INVALID_ARGUMENT);
  EXPECT_EQ(whisper_s4y_session_run(nullptr, "x", nullptr), WHISPER_S4Y_INVALID_ARGUMENT);
  EXPECT_EQ(whisper_s4y_live_push(nullptr, nullptr, 0), WHISPER_S4Y_INVALID_ARGUMENT);
  EXPECT_EQ(whisper_s4y_normalize(nullptr, "en", &text), WHISPER_S4Y_INVALID_ARGUMENT);
  EXPECT_EQ(whisper_s4y_options_describe(static_cast<whisper_s4y_options_kind>(99), &text),
            WHISPER_S4Y_INVALID_ARGUMENT);
  whisper_s4y_model_destroy(nullptr);
  whisper_s4y_transcript_destroy(nullptr);
  EXPECT_STREQ(whisper_s4y_transcript_text(nullptr), "");
}

TEST(CApi, KeepsTheErrorOfEachThread) {
  whisper_s4y_model* model = nullptr;
  ASSERT_EQ(whisper_s4y_model_open("/no/such/one", nullptr, &model), WHISPER_S4Y_IO);
  std::thread([] { EXPECT_STREQ(whisper_s4y_last_error(), ""); }).join();
  EXPECT_THAT(whisper_s4y_last_error(), HasSubstr("/no/such/one"));
}

TEST(CApi, TranscribesWithOneModelInTwoThreads) {
  const auto model = open_small_model();
  const auto samples = tone(4);
  const auto text = [&] {
    const auto transcriber = transcriber_of(model);
    whisper_s4y_transcript* made = nullptr;
    EXPECT_EQ(whisper_s4y_transcribe(transcriber.get(), samples.data(), samples.size(), nullptr,
                                     nullptr, &made),
              WHISPER_S4Y_OK)
        << whisper_s4y_last_error();
    const Owned<whisper_s4y_transcript> transcript(made);
    char* json = nullptr;
    EXPECT_EQ(whisper_s4y_transcript_format(transcript.get(), "json", nullptr, &json),
              WHISPER_S4Y_OK);
    return taken(json);
  };
  const std::string alone = text();
  std::string first;
  std::string second;
  std::thread one([&] { first = text(); });
  std::thread two([&] { second = text(); });
  one.join();
  two.join();
  EXPECT_EQ(first, alone);
  EXPECT_EQ(second, alone);
}

TEST(CApi, GivesSegmentsToCallersOfOlderVersions) {
  const auto model = open_small_model();
  const auto transcriber = transcriber_of(model);
  const auto o = options(WHISPER_S4Y_TRANSCRIBE_OPTIONS,
                         R"({"no_speech_threshold": null, "logprob_threshold": null,
                             "compression_ratio_threshold": null})");
  struct Heard {
    int segments = 0;
    double done = 0;
  } heard;
  whisper_s4y_callbacks callbacks = WHISPER_S4Y_INIT(whisper_s4y_callbacks);
  callbacks.user_data = &heard;
  callbacks.on_segment = [](void* user, const whisper_s4y_segment* segment) {
    EXPECT_EQ(segment->struct_size, sizeof(whisper_s4y_segment));
    ++static_cast<Heard*>(user)->segments;
  };
  callbacks.on_progress = [](void* user, double done, double) {
    static_cast<Heard*>(user)->done = done;
  };
  const auto samples = tone(4);
  whisper_s4y_transcript* made = nullptr;
  ASSERT_EQ(whisper_s4y_transcribe(transcriber.get(), samples.data(), samples.size(), o.get(),
                                   &callbacks, &made),
            WHISPER_S4Y_OK)
      << whisper_s4y_last_error();
  const Owned<whisper_s4y_transcript> transcript(made);
  EXPECT_GT(heard.done, 0);
  const size_t count = whisper_s4y_transcript_segments(transcript.get());
  EXPECT_EQ(static_cast<size_t>(heard.segments), count);
  ASSERT_GT(count, 0U);
  whisper_s4y_segment old = {};
  old.struct_size = offsetof(whisper_s4y_segment, start);
  old.start = -1;
  ASSERT_EQ(whisper_s4y_transcript_segment(transcript.get(), 0, &old), WHISPER_S4Y_OK);
  EXPECT_EQ(old.start, -1) << "written past what the caller knows";
  EXPECT_EQ(old.struct_size, offsetof(whisper_s4y_segment, start));
  EXPECT_EQ(whisper_s4y_transcript_segment(transcript.get(), count, &old),
            WHISPER_S4Y_INVALID_ARGUMENT);
  old.struct_size = 0;
  EXPECT_EQ(whisper_s4y_transcript_segment(transcript.get(), 0, &old),
            WHISPER_S4Y_INVALID_ARGUMENT);
}

TEST(CApi, KnowsTokensAndText) {
  const auto model = open_small_model();
  int32_t* tokens = nullptr;
  size_t count = 0;
  ASSERT_EQ(whisper_s4y_tokenize(model.get(), " hello", &tokens, &count), WHISPER_S4Y_OK)
      << whisper_s4y_last_error();
  EXPECT_GT(count, 0U);
  char* text = nullptr;
  EXPECT_EQ(whisper_s4y_detokenize(model.get(), tokens, count, 0, 0, &text), WHISPER_S4Y_OK);
  EXPECT_EQ(taken(text), " hello");
  whisper_s4y_free(tokens);
  const int32_t wrong = 1'000'000;
  EXPECT_EQ(whisper_s4y_detokenize(model.get(), &wrong, 1, 0, 0, &text),
            WHISPER_S4Y_INVALID_ARGUMENT);
  EXPECT_EQ(text, nullptr);
}

TEST(CApi, ConvertsInMemoryAndOpensIt) {
  const auto o = options(WHISPER_S4Y_CONVERT_OPTIONS, R"({"quantize": "int8"})");
  void* file = nullptr;
  size_t size = 0;
  ASSERT_EQ(
      whisper_s4y_convert_to_memory(small_checkpoint().c_str(), o.get(), nullptr, &file, &size),
      WHISPER_S4Y_OK)
      << whisper_s4y_last_error();
  whisper_s4y_model* made = nullptr;
  ASSERT_EQ(whisper_s4y_model_open_memory(file, size, "small", nullptr, &made), WHISPER_S4Y_OK)
      << whisper_s4y_last_error();
  const Owned<whisper_s4y_model> model(made);
  whisper_s4y_free(file);
  char* json = nullptr;
  ASSERT_EQ(whisper_s4y_model_info(model.get(), &json), WHISPER_S4Y_OK);
  const Json info = Json::parse(taken(json));
  EXPECT_TRUE(info["can_transcribe"].get<bool>());
  EXPECT_EQ(info["file_size"], size);
  EXPECT_GE(info["threads"], 1);
}

TEST(CApi, StopsWhenCancelled) {
  whisper_s4y_callbacks callbacks = WHISPER_S4Y_INIT(whisper_s4y_callbacks);
  callbacks.cancelled = [](void*) { return 1; };
  const TemporaryFolder folder;
  EXPECT_EQ(whisper_s4y_convert(small_checkpoint().c_str(), folder.file("m.tflite").c_str(),
                                nullptr, &callbacks),
            WHISPER_S4Y_CANCELLED);
  EXPECT_TRUE(folder.names().empty());
}

TEST(CApi, HearsLiveSound) {
  const auto model = open_small_model();
  const auto transcriber = transcriber_of(model);
  whisper_s4y_live* made = nullptr;
  int texts = 0;
  ASSERT_EQ(whisper_s4y_live_create(
                transcriber.get(), nullptr,
                [](void* user, const whisper_s4y_live_text*) { ++*static_cast<int*>(user); },
                &texts, &made),
            WHISPER_S4Y_OK)
      << whisper_s4y_last_error();
  const Owned<whisper_s4y_live> live(made);
  const auto samples = tone(2);
  EXPECT_EQ(whisper_s4y_live_push(live.get(), samples.data(), samples.size()), WHISPER_S4Y_OK);
  EXPECT_EQ(whisper_s4y_live_finish(live.get()), WHISPER_S4Y_OK);
}

constexpr const char* kSaysSomething = R"({"no_speech_threshold": null, "logprob_threshold": null,
                                           "compression_ratio_threshold": null})";

Owned<whisper_s4y_stream> stream_of(const Owned<whisper_s4y_transcriber>& transcriber,
                                    const std::vector<float>& samples) {
  const auto o = options(WHISPER_S4Y_TRANSCRIBE_OPTIONS, kSaysSomething);
  whisper_s4y_stream* made = nullptr;
  EXPECT_EQ(
      whisper_s4y_stream_samples(transcriber.get(), samples.data(), samples.size(), o.get(), &made),
      WHISPER_S4Y_OK)
      << whisper_s4y_last_error();
  return Owned<whisper_s4y_stream>(made);
}

TEST(CStream, GivesTheSegmentsOfTheTranscript) {
  const auto model = open_small_model();
  const auto transcriber = transcriber_of(model);
  const auto samples = tone(70);
  const auto stream = stream_of(transcriber, samples);
  char* json = nullptr;
  ASSERT_EQ(whisper_s4y_stream_languages(stream.get(), -1, &json), WHISPER_S4Y_OK);
  EXPECT_FALSE(Json::parse(taken(json)).empty());
  std::vector<std::string> texts;
  whisper_s4y_segment segment = WHISPER_S4Y_INIT(whisper_s4y_segment);
  whisper_s4y_stream_state state = WHISPER_S4Y_STREAM_WAITING;
  // No segment is lost by a call that fails.
  whisper_s4y_segment without_size = {};
  EXPECT_EQ(whisper_s4y_stream_next(stream.get(), -1, &without_size, &state),
            WHISPER_S4Y_INVALID_ARGUMENT);
  while (state != WHISPER_S4Y_STREAM_END) {
    ASSERT_EQ(whisper_s4y_stream_next(stream.get(), 1, &segment, &state), WHISPER_S4Y_OK)
        << whisper_s4y_last_error();
    if (state == WHISPER_S4Y_STREAM_SEGMENT) texts.emplace_back(segment.text);
  }
  EXPECT_GT(texts.size(), 1U);
  whisper_s4y_transcript* made = nullptr;
  ASSERT_EQ(whisper_s4y_stream_transcript(stream.get(), &made), WHISPER_S4Y_OK);
  const Owned<whisper_s4y_transcript> transcript(made);
  ASSERT_EQ(whisper_s4y_transcript_segments(transcript.get()), texts.size());
  for (size_t i = 0; i < texts.size(); ++i) {
    ASSERT_EQ(whisper_s4y_transcript_segment(transcript.get(), i, &segment), WHISPER_S4Y_OK);
    EXPECT_EQ(segment.text, texts[i]);
  }
  ASSERT_EQ(whisper_s4y_transcript_info(transcript.get(), &json), WHISPER_S4Y_OK);
  const Json info = Json::parse(taken(json));
  EXPECT_EQ(info["duration"], 70.0);
  EXPECT_EQ(info["duration_after_vad"], 70.0);
  EXPECT_FALSE(info["is_cut"].get<bool>());
  double done = 0;
  double total = 0;
  ASSERT_EQ(whisper_s4y_stream_progress(stream.get(), &done, &total), WHISPER_S4Y_OK);
  EXPECT_EQ(total, 70.0);
  EXPECT_EQ(done, 70.0);
}

TEST(CStream, GivesAllOfItWhenNothingWasTaken) {
  const auto model = open_small_model();
  const auto transcriber = transcriber_of(model);
  const auto samples = tone(35);
  const auto stream = stream_of(transcriber, samples);
  whisper_s4y_transcript* made = nullptr;
  ASSERT_EQ(whisper_s4y_stream_transcript(stream.get(), &made), WHISPER_S4Y_OK);
  const Owned<whisper_s4y_transcript> transcript(made);
  EXPECT_GT(whisper_s4y_transcript_segments(transcript.get()), 0U);
}

TEST(CStream, BeginsWhenItIsAskedAndEndsWhenItIsDestroyed) {
  const auto model = open_small_model();
  const auto transcriber = transcriber_of(model);
  const auto samples = tone(600);
  const auto begin = std::chrono::steady_clock::now();
  {
    const auto stream = stream_of(transcriber, samples);
    char* json = nullptr;
    ASSERT_EQ(whisper_s4y_stream_languages(stream.get(), -1, &json), WHISPER_S4Y_OK);
    whisper_s4y_free(json);
    double done = 0;
    double total = 0;
    EXPECT_EQ(whisper_s4y_stream_progress(stream.get(), &done, &total), WHISPER_S4Y_OK);
    EXPECT_LT(done, 30.0) << "nobody has asked for a segment";
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(30));
}

TEST(CStream, CutsTheTranscriptWhereItIsStopped) {
  const auto model = open_small_model();
  const auto transcriber = transcriber_of(model);
  const auto samples = tone(600);
  const auto stream = stream_of(transcriber, samples);
  whisper_s4y_stream_stop(stream.get());
  whisper_s4y_transcript* made = nullptr;
  ASSERT_EQ(whisper_s4y_stream_transcript(stream.get(), &made), WHISPER_S4Y_OK);
  const Owned<whisper_s4y_transcript> transcript(made);
  char* json = nullptr;
  ASSERT_EQ(whisper_s4y_transcript_info(transcript.get(), &json), WHISPER_S4Y_OK);
  EXPECT_TRUE(Json::parse(taken(json))["is_cut"].get<bool>());
}

TEST(CStream, TellsWhatWentWrong) {
  const auto model = open_small_model();
  const auto transcriber = transcriber_of(model);
  whisper_s4y_stream* made = nullptr;
  EXPECT_EQ(whisper_s4y_stream_file(transcriber.get(), "/no/such/one", nullptr, nullptr, &made),
            WHISPER_S4Y_IO);
  EXPECT_EQ(made, nullptr);
  EXPECT_EQ(whisper_s4y_stream_memory(transcriber.get(), "no sound", 8, nullptr, nullptr, &made),
            WHISPER_S4Y_INVALID_FILE);
  // Whether it fits the model is found in the thread.
  const auto o = options(WHISPER_S4Y_TRANSCRIBE_OPTIONS, R"({"beam_size": 60})");
  const auto samples = tone(1);
  ASSERT_EQ(
      whisper_s4y_stream_samples(transcriber.get(), samples.data(), samples.size(), o.get(), &made),
      WHISPER_S4Y_OK);
  const Owned<whisper_s4y_stream> stream(made);
  whisper_s4y_segment segment = WHISPER_S4Y_INIT(whisper_s4y_segment);
  whisper_s4y_stream_state state{};
  EXPECT_NE(whisper_s4y_stream_next(stream.get(), -1, &segment, &state), WHISPER_S4Y_OK);
  EXPECT_THAT(whisper_s4y_last_error(), HasSubstr("beam"));
}

TEST(CApi, StopsAtAFlagAndTellsTheLanguages) {
  const auto model = open_small_model();
  const auto transcriber = transcriber_of(model);
  const auto samples = tone(600);
  struct Heard {
    std::string languages;
    int stop = 0;
  } heard;
  whisper_s4y_callbacks callbacks = WHISPER_S4Y_INIT(whisper_s4y_callbacks);
  callbacks.user_data = &heard;
  callbacks.stop = &heard.stop;
  callbacks.on_languages = [](void* user, const char* json) {
    auto& target = *static_cast<Heard*>(user);
    target.languages = json;
    target.stop = 1;
  };
  whisper_s4y_transcript* made = nullptr;
  ASSERT_EQ(whisper_s4y_transcribe(transcriber.get(), samples.data(), samples.size(), nullptr,
                                   &callbacks, &made),
            WHISPER_S4Y_OK);
  const Owned<whisper_s4y_transcript> transcript(made);
  EXPECT_FALSE(Json::parse(heard.languages).empty());
  char* json = nullptr;
  ASSERT_EQ(whisper_s4y_transcript_info(transcript.get(), &json), WHISPER_S4Y_OK);
  EXPECT_TRUE(Json::parse(taken(json))["is_cut"].get<bool>());
}

TEST(CApi, ReadsSoundAndDescribesFiles) {
  const std::string recording = (source_dir() / "examples" / "jfk.flac").string();
  float* samples = nullptr;
  size_t count = 0;
  ASSERT_EQ(whisper_s4y_load_audio(recording.c_str(), nullptr, &samples, &count), WHISPER_S4Y_OK);
  EXPECT_EQ(count, 176000U);
  whisper_s4y_speech* speech = nullptr;
  size_t stretches = 0;
  EXPECT_EQ(whisper_s4y_speech_timestamps(samples, count, nullptr, &speech, &stretches),
            WHISPER_S4Y_OK);
  EXPECT_GT(stretches, 0U);
  whisper_s4y_free(speech);
  const std::string bytes = read_file(recording);
  float* again = nullptr;
  size_t again_count = 0;
  ASSERT_EQ(
      whisper_s4y_load_audio_memory(bytes.data(), bytes.size(), nullptr, &again, &again_count),
      WHISPER_S4Y_OK);
  EXPECT_TRUE(std::equal(samples, samples + count, again, again + again_count));
  whisper_s4y_free(samples);
  whisper_s4y_free(again);
  char* json = nullptr;
  ASSERT_EQ(whisper_s4y_describe_file(recording.c_str(), &json), WHISPER_S4Y_OK);
  EXPECT_EQ(Json::parse(taken(json))["audio_tracks"].size(), 1U);
}

TEST(CApi, StopsReadingSoundAndLookingForSomethingInIt) {
  const int stop = 1;
  whisper_s4y_callbacks callbacks = WHISPER_S4Y_INIT(whisper_s4y_callbacks);
  callbacks.stop = &stop;
  const std::string recording = (source_dir() / "examples" / "jfk.flac").string();
  float* read = nullptr;
  size_t count = 0;
  EXPECT_EQ(whisper_s4y_read_audio(recording.c_str(), nullptr, &callbacks, &read, &count),
            WHISPER_S4Y_CANCELLED);
  const std::string bytes = read_file(recording);
  EXPECT_EQ(
      whisper_s4y_read_audio_memory(bytes.data(), bytes.size(), nullptr, &callbacks, &read, &count),
      WHISPER_S4Y_CANCELLED);
  EXPECT_EQ(read, nullptr);
  const auto samples = tone(60);
  whisper_s4y_speech* speech = nullptr;
  EXPECT_EQ(
      whisper_s4y_find_speech(samples.data(), samples.size(), nullptr, &callbacks, &speech, &count),
      WHISPER_S4Y_CANCELLED);
  EXPECT_EQ(speech, nullptr);
  const auto model = open_small_model();
  const auto transcriber = transcriber_of(model);
  char* json = nullptr;
  EXPECT_EQ(whisper_s4y_find_languages(transcriber.get(), samples.data(), samples.size(), nullptr,
                                       &callbacks, &json),
            WHISPER_S4Y_CANCELLED);
  EXPECT_EQ(json, nullptr);
}

TEST(CApi, MakesATranscriptOfItsFields) {
  const auto model = open_small_model();
  const auto transcriber = transcriber_of(model);
  const auto samples = tone(35);
  const auto stream = stream_of(transcriber, samples);
  whisper_s4y_transcript* made = nullptr;
  ASSERT_EQ(whisper_s4y_stream_transcript(stream.get(), &made), WHISPER_S4Y_OK);
  const Owned<whisper_s4y_transcript> transcript(made);
  const auto format = [](const Owned<whisper_s4y_transcript>& one) {
    char* text = nullptr;
    EXPECT_EQ(whisper_s4y_transcript_format(one.get(), "json", nullptr, &text), WHISPER_S4Y_OK);
    return taken(text);
  };
  const std::string json = format(transcript);
  ASSERT_EQ(whisper_s4y_transcript_create(json.c_str(), &made), WHISPER_S4Y_OK)
      << whisper_s4y_last_error();
  const Owned<whisper_s4y_transcript> again(made);
  EXPECT_EQ(format(again), json);
  for (const char* wrong :
       {"[]", "{", R"({"segments": [{"tokens": [1.5]}]})", R"({"segments": [{"id": 4294967296}]})",
        R"({"segments": 1})", R"({"text": 1, "segments": []})", R"({"segments": [1]})",
        R"({"segments": [{"words": {}}]})", R"({"segments": [{"words": [1]}]})"}) {
    EXPECT_EQ(whisper_s4y_transcript_create(wrong, &made), WHISPER_S4Y_INVALID_ARGUMENT) << wrong;
    EXPECT_THAT(whisper_s4y_last_error(), HasSubstr("This is no transcript"));
    EXPECT_THAT(whisper_s4y_last_error(), ::testing::Not(::testing::HasSubstr("json.exception")));
    EXPECT_EQ(made, nullptr);
  }
}

TEST(CApi, MakesTheFileOfAFrontEnd) {
  void* file = nullptr;
  size_t size = 0;
  ASSERT_EQ(whisper_s4y_make_front_end(128, &file, &size), WHISPER_S4Y_OK);
  whisper_s4y_model* model = nullptr;
  ASSERT_EQ(whisper_s4y_model_open_memory(file, size, "front end", nullptr, &model),
            WHISPER_S4Y_OK);
  whisper_s4y_free(file);
  char* json = nullptr;
  ASSERT_EQ(whisper_s4y_model_info(model, &json), WHISPER_S4Y_OK);
  const Json info = Json::parse(taken(json));
  ASSERT_EQ(info["signatures"].size(), 1U);
  EXPECT_EQ(info["signatures"][0]["key"], "serving_default");
  EXPECT_EQ(info["signatures"][0]["outputs"][0]["shape"], Json({1, 128, 3000}));
  whisper_s4y_model_destroy(model);
  EXPECT_EQ(whisper_s4y_make_front_end(81, &file, &size), WHISPER_S4Y_INVALID_ARGUMENT);
}

TEST(CApi, TellsKindsOfErrorsApart) {
  char* json = nullptr;
  EXPECT_EQ(whisper_s4y_describe_file("/no/such/file", &json), WHISPER_S4Y_IO);
  EXPECT_EQ(whisper_s4y_describe_file("", &json), WHISPER_S4Y_INVALID_ARGUMENT);
  whisper_s4y_model* model = nullptr;
  EXPECT_EQ(whisper_s4y_model_open("/no/such/file", nullptr, &model), WHISPER_S4Y_IO);
  EXPECT_EQ(whisper_s4y_model_open("", nullptr, &model), WHISPER_S4Y_INVALID_ARGUMENT);
  EXPECT_STREQ(whisper_s4y_last_error(), "The path of the file is empty.");
  float* samples = nullptr;
  size_t count = 0;
  EXPECT_EQ(whisper_s4y_load_audio_memory(nullptr, 0, nullptr, &samples, &count),
            WHISPER_S4Y_INVALID_FILE);
  EXPECT_EQ(whisper_s4y_load_audio("", nullptr, &samples, &count), WHISPER_S4Y_INVALID_ARGUMENT);

  void* file = nullptr;
  size_t size = 0;
  ASSERT_EQ(whisper_s4y_make_front_end(80, &file, &size), WHISPER_S4Y_OK);
  ASSERT_EQ(whisper_s4y_model_open_memory(file, size, "front end", nullptr, &model),
            WHISPER_S4Y_OK);
  whisper_s4y_free(file);
  const Owned<whisper_s4y_model> front_end(model);
  whisper_s4y_transcriber* transcriber = nullptr;
  EXPECT_EQ(whisper_s4y_transcriber_create(front_end.get(), &transcriber), WHISPER_S4Y_UNSUPPORTED);
  EXPECT_THAT(whisper_s4y_last_error(), HasSubstr("it is a front end alone"));
}

TEST(CApi, LeavesErrnoAsItWas) {
  const auto model = open_small_model();
  const auto transcriber = transcriber_of(model);
  const auto samples = tone(1);
  errno = 77;
  whisper_s4y_transcript* made = nullptr;
  ASSERT_EQ(whisper_s4y_transcribe(transcriber.get(), samples.data(), samples.size(), nullptr,
                                   nullptr, &made),
            WHISPER_S4Y_OK);
  EXPECT_EQ(errno, 77);
  whisper_s4y_transcript_destroy(made);
}

TEST(CApi, FindsCheckpointsByPathAndKnowsTheNames) {
  char* text = nullptr;
  ASSERT_EQ(whisper_s4y_resolve_checkpoint(small_checkpoint().c_str(), nullptr, nullptr, &text),
            WHISPER_S4Y_OK);
  EXPECT_EQ(taken(text), small_checkpoint());
  const auto offline = options(WHISPER_S4Y_PULL_OPTIONS, R"({"offline": true, "revision": "x1"})");
  const TemporaryFolder folder;
  EXPECT_EQ(whisper_s4y_download("tiny", folder.path().c_str(), offline.get(), nullptr),
            WHISPER_S4Y_NETWORK);
  ASSERT_EQ(whisper_s4y_model_names(&text), WHISPER_S4Y_OK);
  EXPECT_THAT(Json::parse(taken(text)).get<std::vector<std::string>>(),
              ::testing::IsSupersetOf({"tiny", "base.en", "turbo"}));
}

TEST(CApi, MakesTranscribersWithThreads) {
  const auto model = open_small_model();
  whisper_s4y_transcriber* made = nullptr;
  ASSERT_EQ(whisper_s4y_transcriber_open(model.get(), 1, &made), WHISPER_S4Y_OK);
  const Owned<whisper_s4y_transcriber> transcriber(made);
  EXPECT_EQ(whisper_s4y_transcriber_open(model.get(), -1, &made), WHISPER_S4Y_INVALID_ARGUMENT);
  EXPECT_EQ(made, nullptr);
}

TEST(CApi, KnowsLanguagesByTheirNames) {
  char* code = nullptr;
  for (const char* name : {"de", "German", "german"}) {
    ASSERT_EQ(whisper_s4y_language_code(name, &code), WHISPER_S4Y_OK);
    EXPECT_EQ(taken(code), "de");
  }
  EXPECT_EQ(whisper_s4y_language_code("no language", &code), WHISPER_S4Y_INVALID_ARGUMENT);
  EXPECT_EQ(code, nullptr);
}

TEST(CApi, CountsErrors) {
  char* text = nullptr;
  ASSERT_EQ(whisper_s4y_normalize("Twenty colours!", "en", &text), WHISPER_S4Y_OK);
  EXPECT_EQ(taken(text), "20 colors");
  whisper_s4y_errors errors = WHISPER_S4Y_INIT(whisper_s4y_errors);
  ASSERT_EQ(whisper_s4y_word_errors("a b c", "a x c d", &errors), WHISPER_S4Y_OK);
  EXPECT_EQ(errors.substitutions, 1U);
  EXPECT_EQ(errors.insertions, 1U);
  EXPECT_EQ(errors.reference, 3U);
}

}  // namespace
}  // namespace whisper_s4y
