#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "options/option_table.h"
#include "server/api_error.h"
#include "server/openai_request.h"
#include "server/openai_response.h"
#include "support/files.h"

namespace whisper_s4y::server {
namespace {

using testing::ElementsAre;

class OpenAi : public testing::Test {
 protected:
  OpenAi() {
    for (const char* name : {"base", "tiny"}) {
      std::ofstream(folder_ / name) << "x";
      names_.push_back({name, folder_ / name});
    }
  }

  OpenAiRequest request(std::vector<std::pair<std::string, std::string>> fields,
                        std::string_view task = "transcribe") {
    Form form;
    form.fields = std::move(fields);
    form.fields.emplace_back("model", "base");
    form.file = std::make_shared<Upload>(std::filesystem::path());
    return openai_request(form, task, ModelStore(names_, {}));
  }

  std::string blamed(std::vector<std::pair<std::string, std::string>> fields) {
    try {
      (void)request(std::move(fields));
    } catch (const ApiError& error) {
      EXPECT_EQ(error.status(), 400);
      return error.param();
    }
    return "nothing";
  }

  TemporaryFolder folder_;
  std::vector<ModelName> names_;
};

TEST_F(OpenAi, FieldsBecomeOptions) {
  const OpenAiRequest it = request({{"language", "de"},
                                    {"prompt", "Zürich"},
                                    {"temperature", "0.4"},
                                    {"keywords[]", "one"},
                                    {"keywords[]", "two"},
                                    {"response_format", "verbose_json"},
                                    {"timestamp_granularities[]", "word"}});
  EXPECT_EQ(it.job.options.language, "de");
  EXPECT_EQ(it.job.options.initial_prompt, "Zürich");
  EXPECT_THAT(it.job.options.temperatures, ElementsAre(0.4F));
  EXPECT_EQ(it.job.options.hotwords, "one, two");
  EXPECT_TRUE(it.job.options.word_timestamps);
  EXPECT_TRUE(it.words);
  EXPECT_FALSE(it.segments);
}

TEST_F(OpenAi, TemperatureZeroTriesHigherOnes) {
  EXPECT_EQ(request({{"temperature", "0"}}).job.options.temperatures.size(), 6U);
}

TEST_F(OpenAi, RoutesDecideOnTheTask) {
  EXPECT_EQ(request({{"task", "translate"}}).job.options.task, "transcribe");
  EXPECT_EQ(request({}, "translate").job.options.task, "translate");
}

TEST_F(OpenAi, ChunkingIsVoiceActivity) {
  EXPECT_FALSE(request({}).job.options.vad_filter);
  EXPECT_TRUE(request({{"chunking_strategy", "auto"}}).job.options.vad_filter);
  const OpenAiRequest it =
      request({{"chunking_strategy",
                R"({"type": "server_vad", "threshold": 0.3, "silence_duration_ms": 700})"}});
  EXPECT_DOUBLE_EQ(it.job.options.vad_options->threshold, 0.3);
  EXPECT_EQ(it.job.options.vad_options->min_silence_duration_ms, 700);
}

TEST_F(OpenAi, WhatIsImpossibleIsNamed) {
  EXPECT_EQ(blamed({{"response_format", "xml"}}), "response_format");
  EXPECT_EQ(blamed({{"response_format", "diarized_json"}}), "response_format");
  EXPECT_EQ(blamed({{"temperature", "1.5"}}), "temperature");
  EXPECT_EQ(blamed({{"temperature", "warm"}}), "temperature");
  EXPECT_EQ(blamed({{"timestamp_granularities[]", "word"}}), "timestamp_granularities[]");
  EXPECT_EQ(blamed({{"include[]", "logprobs"}, {"response_format", "text"}}), "include[]");
  EXPECT_EQ(blamed({{"include[]", "thoughts"}}), "include[]");
  EXPECT_EQ(blamed({{"chunking_strategy", "[1]"}}), "chunking_strategy");
  EXPECT_EQ(blamed({{"chunking_strategy", "{{"}}), "chunking_strategy");
  const std::string deep = std::string(60'000, '[') + std::string(60'000, ']');
  EXPECT_EQ(blamed({{"chunking_strategy", deep}}), "chunking_strategy");
  EXPECT_EQ(blamed({{"chunking_strategy", R"({"type": "server_vad", "threshold": )" + deep + "}"}}),
            "chunking_strategy");
  EXPECT_EQ(
      blamed({{"chunking_strategy[type]", "server_vad"}, {"chunking_strategy[threshold]", deep}}),
      "chunking_strategy");
  EXPECT_EQ(blamed({{"stream", "maybe"}}), "stream");
  EXPECT_EQ(blamed({{"stream", "true"}, {"response_format", "srt"}}), "stream");
  EXPECT_EQ(blamed({{"formats", "srt"}}), "formats");
  EXPECT_EQ(blamed({{"formats", "doc"}, {"response_format", "verbose_json"}}), "formats");
  EXPECT_EQ(blamed({{"language", "klingon"}}), "language");
}

TEST_F(OpenAi, VerboseJsonHasFormatsBeside) {
  const OpenAiRequest it =
      request({{"response_format", "verbose_json"}, {"formats", "srt,txt"}, {"formats[]", "vtt"}});
  EXPECT_THAT(it.formats, ElementsAre(OutputFormat::srt, OutputFormat::txt, OutputFormat::vtt));
  Transcript transcript;
  transcript.segments = {{.start = 1, .end = 2.5, .text = " Hello."}};
  const Json json = verbose_json(transcript, it);
  EXPECT_EQ(json["formats"]["srt"], "1\n00:00:01,000 --> 00:00:02,500\nHello.\n\n");
  EXPECT_EQ(json["formats"]["txt"], "Hello.\n");
  EXPECT_FALSE(verbose_json(transcript, {}).contains("formats"));
}

TEST_F(OpenAi, SegmentsOfAStreamHaveTheWordsAskedFor) {
  const Segment segment{.id = 3,
                        .start = 1,
                        .end = 2.5,
                        .text = " Hello.",
                        .words = {{.word = " Hello.", .start = 1.25, .end = 2}}};
  EXPECT_EQ(segment_event(segment, {.words = true}), Json::parse(R"({
    "type": "transcript.text.segment", "id": 3, "start": 1.0, "end": 2.5, "text": " Hello.",
    "words": [{"word": "Hello.", "start": 1.25, "end": 2.0}]})"));
  EXPECT_FALSE(segment_event(segment, {}).contains("words"));
}

TEST(FieldsTest, AreTheOptionsThatAFormSets) {
  const Json fields = describe_fields();
  const auto find = [&](std::string_view name) {
    return std::ranges::find_if(fields, [&](const Json& one) { return one["name"] == name; });
  };
  ASSERT_NE(find("beam_size"), fields.end());
  const Json beam_size = *find("beam_size");
  EXPECT_EQ(beam_size["type"], "integer");
  EXPECT_EQ(beam_size["least"], 1);
  EXPECT_EQ(beam_size["most"], 64);
  EXPECT_EQ(beam_size["group"], "Decoding");
  EXPECT_NE(find("max_line_width"), fields.end());
  EXPECT_NE(find("track"), fields.end());
  EXPECT_EQ(find("task"), fields.end());
  EXPECT_EQ(find("batch_size"), fields.end());
}

TEST_F(OpenAi, NamesOfOpenAiMeanTheFirstModel) {
  const ModelStore models(names_, {});
  EXPECT_EQ(models.find("whisper-1")->name(), "base");
  EXPECT_EQ(models.find("tiny")->name(), "tiny");
  EXPECT_THROW((void)models.find("large"), ApiError);
  EXPECT_EQ(ModelStore({names_[1]}, {}).find("large")->name(), "tiny");
}

TEST(DeltasTest, AreTheTextWithoutSpaceAroundIt) {
  Deltas deltas;
  std::string text;
  for (const char* segment : {"  ", " One,", " two. ", " ", "\u3000Three.\n"}) {
    text += deltas.add(segment);
  }
  EXPECT_EQ(text, "One, two.  \u3000Three.");
}

TEST(DeltasTest, HoldSpaceBackUntilTextFollows) {
  Deltas deltas;
  EXPECT_EQ(deltas.add(" One. "), "One.");
  EXPECT_EQ(deltas.add("Two."), " Two.");
}

}  // namespace
}  // namespace whisper_s4y::server
