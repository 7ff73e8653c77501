// Layout of words into cues and lines.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>

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
// The reference writes cues without length for words that have none; ours last a millisecond.
std::string with_lengths(const std::string& subtitles) {
  static const std::regex kEmpty(R"((\S+[.,])(\d\d\d) --> \1\2)");
  std::string result;
  auto rest = subtitles.begin();
  for (std::sregex_iterator match(subtitles.begin(), subtitles.end(), kEmpty), end; match != end;
       ++match) {
    const int next = std::stoi((*match)[2]) + 1;
    EXPECT_LT(next, 1000) << "choose another time for the reference";
    result.append(rest, (*match)[0].first);
    result += fmt::format("{}{} --> {}{:03}", (*match)[1].str(), (*match)[2].str(),
                          (*match)[1].str(), next);
    rest = (*match)[0].second;
  }
  result.append(rest, subtitles.end());
  return result;
}

TEST(Subtitles, AreThoseOfTheReference) {
  std::ifstream file(source_dir() / "tests/output/reference.json");
  const auto reference = nlohmann::json::parse(file);
  size_t compared = 0;
  for (const auto& item : reference.at("cases")) {
    const Transcript transcript = transcript_from(item.at("transcript"));
    for (const auto& output : item.at("outputs")) {
      EXPECT_EQ(format_transcript(transcript, output_format(output.at("format").get<std::string>()),
                                  options_from(output.at("options"))),
                with_lengths(output.at("text").get<std::string>()))
          << output.at("format") << output.at("options");
      ++compared;
    }
    EXPECT_EQ(nlohmann::json::parse(to_json(transcript)), item.at("transcript"));
  }
  EXPECT_GT(compared, 100U);
}

// Segments of two speakers who fall into each other's words.
Transcript two_channels() {
  Transcript left;
  left.segments = {{.start = 0, .end = 2, .text = " Hello?"},
                   {.start = 4, .end = 5, .text = " A & b."}};
  Transcript right;
  right.segments = {{.start = 1.5, .end = 3, .text = " I <hear> you."}};
  right.warnings = left.warnings = {"The same."};
  return merge_channels({left, right}, {"left", "right"});
}

TEST(Channels, AreToldApartInEveryFormat) {
  const Transcript transcript = two_channels();
  EXPECT_EQ(transcript.text, " Hello? I <hear> you. A & b.");
  EXPECT_EQ(transcript.segments[2].id, 2);
  EXPECT_THAT(transcript.warnings, ::testing::ElementsAre("The same."));
  const auto text = [&](OutputFormat format) { return format_transcript(transcript, format); };
  EXPECT_EQ(text(OutputFormat::txt), "left: Hello?\nright: I <hear> you.\nleft: A & b.\n");
  EXPECT_EQ(text(OutputFormat::vtt),
            "WEBVTT\n\n00:00.000 --> 00:02.000\n<v left>Hello?\n\n"
            "00:01.500 --> 00:03.000\n<v right>I &lt;hear> you.\n\n"
            "00:04.000 --> 00:05.000\n<v left>A &amp; b.\n\n");
  EXPECT_THAT(text(OutputFormat::srt), ::testing::HasSubstr("right: I <hear> you."));
  EXPECT_THAT(text(OutputFormat::lrc), ::testing::HasSubstr("[00:01.50]right: I <hear> you."));
  EXPECT_EQ(text(OutputFormat::tsv),
            "start\tend\ttext\tchannel\n0\t2000\tHello?\tleft\n"
            "1500\t3000\tI <hear> you.\tright\n4000\t5000\tA & b.\tleft\n");
  EXPECT_THAT(text(OutputFormat::csv), ::testing::HasSubstr("\"I <hear> you.\",right\n"));
  const auto json = nlohmann::json::parse(text(OutputFormat::json));
  EXPECT_EQ(json["segments"][1]["channel"], "right");
  EXPECT_EQ(json["warnings"], nlohmann::json({"The same."}));
}

TEST(Channels, ShareNoCue) {
  Transcript left;
  left.segments = {{.start = 0, .end = 1, .text = " a", .words = {{" a", 0, 1}}}};
  Transcript right;
  right.segments = {{.start = 1, .end = 2, .text = " b", .words = {{" b", 1, 2}}}};
  const auto cues = cues_of(merge_channels({left, right}, {"left", "right"}),
                            {.max_line_width = 40, .max_line_count = 2});
  ASSERT_EQ(cues.size(), 2U);
  EXPECT_EQ(cues[1].text, "b");
  EXPECT_EQ(cues[1].channel, "right");
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

TEST(Subtitles, HaveALength) {
  const auto transcript = of_words({{" one", 0, 1}, {" two", 1, 1}});
  EXPECT_THAT(format_transcript(transcript, OutputFormat::vtt, {.highlight_words = true}),
              ::testing::HasSubstr("00:01.000 --> 00:01.001\none <u>two</u>"));
}

TEST(Subtitles, EscapeWhatWebVttTakesForMarkup) {
  const auto words = of_words({{" AT&T", 0, 1}, {" <b", 1, 2}});
  EXPECT_THAT(format_transcript(words, OutputFormat::vtt, {.highlight_words = true}),
              ::testing::HasSubstr("<u>AT&amp;T</u> &lt;b"));
  EXPECT_THAT(format_transcript(words, OutputFormat::srt), ::testing::HasSubstr("AT&T <b"));
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
