#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

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
  EXPECT_EQ(blamed({{"stream", "maybe"}}), "stream");
  EXPECT_EQ(blamed({{"language", "klingon"}}), "language");
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
