#include "whisper_s4y/output.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>

#include "output/json_writer.h"
#include "whisper_s4y/error.h"

namespace whisper_s4y {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::testing::ThrowsMessage;

Transcript two_segments() {
  Transcript transcript;
  transcript.text = " Hello, \"world\". 你好";
  transcript.language = "en";
  transcript.segments = {
      {.id = 0,
       .seek = 0,
       .start = 0,
       .end = 1.28,
       .text = " Hello,\t\"world\".",
       .tokens = {1, 2}},
      {.id = 1, .seek = 3000, .start = 3661.5, .end = 3725.0055, .text = " 你好", .tokens = {}}};
  return transcript;
}

TEST(Output, Txt) {
  EXPECT_EQ(format_transcript(two_segments(), OutputFormat::txt), "Hello,\t\"world\".\n你好\n");
}

TEST(Output, Vtt) {
  EXPECT_EQ(format_transcript(two_segments(), OutputFormat::vtt),
            "WEBVTT\n\n00:00.000 --> 00:01.280\nHello,\t\"world\".\n\n"
            "01:01:01.500 --> 01:02:05.006\n你好\n\n");
}

TEST(Output, Srt) {
  EXPECT_EQ(format_transcript(two_segments(), OutputFormat::srt),
            "1\n00:00:00,000 --> 00:00:01,280\nHello,\t\"world\".\n\n"
            "2\n01:01:01,500 --> 01:02:05,006\n你好\n\n");
}

TEST(Output, Tsv) {
  EXPECT_EQ(format_transcript(two_segments(), OutputFormat::tsv),
            "start\tend\ttext\n0\t1280\tHello, \"world\".\n3661500\t3725006\t你好\n");
}

TEST(Output, Csv) {
  EXPECT_EQ(format_transcript(two_segments(), OutputFormat::csv),
            "start,end,text\n0,1280,\"Hello,\t\"\"world\"\".\"\n3661500,3725006,\"你好\"\n");
}

TEST(Output, Lrc) {
  EXPECT_EQ(format_transcript(two_segments(), OutputFormat::lrc),
            "[re:whisper-s4y]\n[00:00.00]Hello,\t\"world\".\n[61:01.50]你好\n");
}

TEST(Output, NothingSaidIsAValidFileToo) {
  const Transcript silence = {.language = "en"};
  EXPECT_EQ(format_transcript(silence, OutputFormat::txt), "");
  EXPECT_EQ(format_transcript(silence, OutputFormat::srt), "");
  EXPECT_EQ(format_transcript(silence, OutputFormat::vtt), "WEBVTT\n\n");
  EXPECT_EQ(format_transcript(silence, OutputFormat::json),
            R"({"text": "", "segments": [], "language": "en"})");
}

TEST(Json, HasTheFieldsOfTheReferenceInTheirOrder) {
  Transcript transcript = {.text = " a\n", .language = "de"};
  transcript.segments = {{.id = 3,
                          .seek = 120,
                          .start = 1.5,
                          .end = 2,
                          .text = " a",
                          .tokens = {5, 6},
                          .temperature = 0.2F,
                          .avg_logprob = -0.25F,
                          .compression_ratio = 1.2F,
                          .no_speech_prob = 1e-7F,
                          .words = {{" a", 1.5, 2, 0.75F}}}};
  EXPECT_EQ(to_json(transcript),
            R"({"text": " a\n", "segments": [{"id": 3, "seek": 120, "start": 1.5, "end": 2.0, )"
            R"("text": " a", "tokens": [5, 6], "temperature": 0.2, "avg_logprob": -0.25, )"
            R"("compression_ratio": 1.2, "no_speech_prob": 1e-07, )"
            R"("words": [{"word": " a", "start": 1.5, "end": 2.0, "probability": 0.75}]}], )"
            R"("language": "de"})");
}

TEST(Json, SegmentsCarryTheirLanguage) {
  Transcript transcript = two_segments();
  transcript.segments[1].language = "zh";
  const auto json = nlohmann::json::parse(to_json(transcript));
  EXPECT_FALSE(json.at("segments")[0].contains("language"));  // is not known
  EXPECT_EQ(json.at("segments")[1].at("language"), "zh");
}

TEST(Json, AnyTextAndAnyNumberStayValid) {
  std::string text;
  for (int c = 1; c < 256; ++c) text += static_cast<char>(c);
  Transcript transcript = {.text = text};
  transcript.segments = {{.text = "\\\"", .avg_logprob = std::nanf("")},
                         {.avg_logprob = -std::numeric_limits<float>::infinity()}};
  const auto json = nlohmann::json::parse(to_json(transcript));
  EXPECT_EQ(json.at("text").get<std::string>().substr(0, 127), text.substr(0, 127));
  EXPECT_EQ(json.at("segments")[0].at("text"), "\\\"");
  EXPECT_TRUE(json.at("segments")[0].at("avg_logprob").is_null());
  EXPECT_TRUE(json.at("segments")[1].at("avg_logprob").is_null());
}

TEST(Json, AllSegmentsHaveWordsWhenAnyHas) {
  Transcript transcript;
  transcript.segments = {{.text = ""}, {.text = " a", .words = {{" a", 0, 1, 1}}}};
  const auto json = nlohmann::json::parse(to_json(transcript));
  EXPECT_THAT(json.at("segments")[0].at("words"), SizeIs(0));
  EXPECT_THAT(json.at("segments")[1].at("words"), SizeIs(1));
}

TEST(Timestamps, AreRoundedToMilliseconds) {
  EXPECT_EQ(format_timestamp(0), "00:00.000");
  EXPECT_EQ(format_timestamp(59.9996), "01:00.000");
  EXPECT_EQ(format_timestamp(3599.9996), "01:00:00.000");
  EXPECT_EQ(format_timestamp(0.0005), "00:00.000") << "halves to even";
  EXPECT_EQ(format_timestamp(0.0015), "00:00.002");
  EXPECT_EQ(format_timestamp(1.5, true, ','), "00:00:01,500");
  EXPECT_EQ(format_timestamp(360000), "100:00:00.000");
  EXPECT_EQ(format_timestamp(-1), "00:00.000");
  EXPECT_EQ(format_timestamp(std::nan("")), "00:00.000");
  EXPECT_EQ(format_timestamp(HUGE_VAL), "2777777:46:40.000");
}

std::string message_for(const OutputOptions& options, bool words) {
  try {
    validate(options, words);
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

TEST(Options, AreRefusedWhenTheyHaveNoEffect) {
  EXPECT_EQ(message_for({}, false), "");
  EXPECT_EQ(message_for({.max_line_width = 40, .max_line_count = 2, .highlight_words = true}, true),
            "");
  EXPECT_EQ(message_for({.max_line_width = 40, .max_words_per_line = 5}, true), "");
  EXPECT_THAT(message_for({.highlight_words = true}, false),
              HasSubstr("highlight_words needs word_timestamps"));
  EXPECT_THAT(message_for({.max_line_count = 2}, true), HasSubstr("without max_line_width"));
  EXPECT_THAT(
      message_for({.max_line_width = 9, .max_line_count = 2, .max_words_per_line = 5}, true),
      HasSubstr("max_words_per_line has no effect"));
  EXPECT_THAT(message_for({.max_line_width = 0}, true), HasSubstr("must be 1 to 100000, not 0"));
}

TEST(Formats, AreFoundByName) {
  EXPECT_EQ(output_format("srt"), OutputFormat::srt);
  EXPECT_THAT(output_formats("all"), SizeIs(7));
  EXPECT_THAT(output_formats("json,vtt"), ElementsAre(OutputFormat::json, OutputFormat::vtt));
  for (const OutputFormat format : output_formats("all")) {
    EXPECT_EQ(output_format(name_of(format)), format);
  }
  EXPECT_THROW((void)output_formats("srt,"), Error);
  const std::string refusal =
      "\"doc\" is not an output format; those are txt, vtt, srt, tsv, json, lrc, csv";
  EXPECT_THAT([] { (void)output_format("doc"); }, ThrowsMessage<Error>(HasSubstr(refusal + ".")));
  EXPECT_THAT([] { (void)output_formats("srt,doc"); },
              ThrowsMessage<Error>(HasSubstr(refusal + ", and all.")));
}

TEST(Files, AreNamedAfterTheRecording) {
  EXPECT_EQ(output_path("out", "x/talk.final.mp4", OutputFormat::srt), "out/talk.final.srt");
  EXPECT_EQ(output_path("", "talk", OutputFormat::txt), "talk.txt");
  EXPECT_EQ(output_path("out", "-", OutputFormat::json), "out/stdin.json");
}

TEST(Files, AppearComplete) {
  const auto path = std::filesystem::path(::testing::TempDir()) / "whisper_s4y_output_test.tsv";
  write_transcript(two_segments(), OutputFormat::tsv, {}, path);
  std::ifstream file(path);
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  EXPECT_EQ(text, format_transcript(two_segments(), OutputFormat::tsv));
  std::filesystem::remove(path);
  EXPECT_THROW(write_transcript(two_segments(), OutputFormat::tsv, {}, "/no/such/folder/a.tsv"),
               Error);
}

}  // namespace
}  // namespace whisper_s4y
