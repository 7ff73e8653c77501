// Layout of words into cues and lines.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "output/cues.h"
#include "output/json_writer.h"
#include "support/files.h"
#include "whisper_s4y/output.h"

namespace whisper_s4y {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Transcript transcript_from(const nlohmann::json& json) {
  Transcript transcript;
  transcript.text = json.at("text");
  transcript.language = json.at("language");
  for (const auto& item : json.at("segments")) {
    Segment segment;
    segment.id = item.at("id");
    segment.seek = item.at("seek");
    segment.start = item.at("start");
    segment.end = item.at("end");
    segment.text = item.at("text");
    segment.tokens = item.at("tokens").get<std::vector<int>>();
    segment.temperature = item.at("temperature");
    segment.avg_logprob = item.at("avg_logprob");
    segment.compression_ratio = item.at("compression_ratio");
    segment.no_speech_prob = item.at("no_speech_prob");
    if (item.contains("words")) {
      for (const auto& word : item.at("words")) {
        segment.words.push_back(
            {word.at("word"), word.at("start"), word.at("end"), word.at("probability")});
      }
    }
    transcript.segments.push_back(std::move(segment));
  }
  return transcript;
}

OutputOptions options_from(const nlohmann::json& json) {
  OutputOptions options;
  if (json.contains("max_line_width")) options.max_line_width = json.at("max_line_width");
  if (json.contains("max_line_count")) options.max_line_count = json.at("max_line_count");
  if (json.contains("max_words_per_line")) {
    options.max_words_per_line = json.at("max_words_per_line");
  }
  options.highlight_words = json.value("highlight_words", false);
  return options;
}

// Made by make_reference.py with the writers of openai/whisper.
TEST(Subtitles, AreThoseOfTheReference) {
  std::ifstream file(source_dir() / "tests/output/reference.json");
  const auto reference = nlohmann::json::parse(file);
  size_t compared = 0;
  for (const auto& item : reference.at("cases")) {
    const Transcript transcript = transcript_from(item.at("transcript"));
    for (const auto& output : item.at("outputs")) {
      EXPECT_EQ(format_transcript(transcript, output_format(output.at("format").get<std::string>()),
                                  options_from(output.at("options"))),
                output.at("text").get<std::string>())
          << output.at("format") << output.at("options");
      ++compared;
    }
    EXPECT_EQ(nlohmann::json::parse(to_json(transcript)), item.at("transcript"));
  }
  EXPECT_GT(compared, 100U);
}

Transcript of_words(std::vector<Word> words) {
  Transcript transcript;
  transcript.segments.push_back({.start = words.front().start,
                                 .end = words.back().end,
                                 .text = " not used",
                                 .words = std::move(words)});
  return transcript;
}

TEST(Subtitles, BreakLinesWhereTheyAreFull) {
  const auto transcript = of_words({{" one", 0, 1}, {" two", 1, 2}, {" three", 2, 3}});
  const auto cues = cues_of(transcript, {.max_line_width = 8});
  ASSERT_EQ(cues.size(), 1U);
  EXPECT_EQ(cues[0].text, "one two\nthree");
  EXPECT_EQ(cues[0].start, 0);
  EXPECT_EQ(cues[0].end, 3);
}

TEST(Subtitles, BreakCuesWhereTheyHaveEnoughLines) {
  const auto transcript = of_words({{" one", 0, 1}, {" two", 1, 2}, {" three", 2, 3}});
  const auto cues = cues_of(transcript, {.max_line_width = 3, .max_line_count = 2});
  ASSERT_EQ(cues.size(), 2U);
  EXPECT_EQ(cues[0].text, "one\ntwo");
  EXPECT_EQ(cues[1].text, "three");
}

TEST(Subtitles, BreakCuesAtLongPauses) {
  const auto transcript = of_words({{" one", 0, 1}, {" two", 3.5, 4}});
  EXPECT_EQ(cues_of(transcript, {.max_line_width = 40, .max_line_count = 2}).size(), 2U);
}

TEST(Subtitles, CountCharactersNotBytes) {
  const auto transcript = of_words({{"日本", 0, 1}, {"語テ", 1, 2}});
  EXPECT_EQ(cues_of(transcript, {.max_line_width = 4})[0].text, "日本語テ");
}

TEST(Subtitles, UnderlineTheWordThatIsSpoken) {
  const auto transcript = of_words({{" one", 0, 1}, {" two", 1.5, 2}});
  EXPECT_EQ(format_transcript(transcript, OutputFormat::vtt, {.highlight_words = true}),
            "WEBVTT\n\n"
            "00:00.000 --> 00:01.000\n<u>one</u> two\n\n"
            "00:01.000 --> 00:01.500\none two\n\n"
            "00:01.500 --> 00:02.000\none <u>two</u>\n\n");
}

TEST(Subtitles, HoldNoArrowsInTheirText) {
  const auto words = of_words({{" a", 0, 1}, {" -->", 1, 2}, {" b", 2, 3}});
  EXPECT_EQ(cues_of(words, {})[0].text, "a -> b");
  Transcript segments;
  segments.segments.push_back({.text = " x ---> --> y"});
  EXPECT_EQ(cues_of(segments, {})[0].text, "x --> -> y");
}

// A line break from the model would end the cue and break the file.
TEST(Subtitles, HoldNoLineBreaksOfTheirText) {
  Transcript transcript;
  transcript.segments.push_back({.end = 1, .text = " a\n\nb\r\nc"});
  EXPECT_EQ(format_transcript(transcript, OutputFormat::srt),
            "1\n00:00:00,000 --> 00:00:01,000\na  b  c\n\n");
}

}  // namespace
}  // namespace whisper_s4y
