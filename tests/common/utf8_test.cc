#include "common/utf8.h"

#include <gtest/gtest.h>

namespace whisper_s4y {
namespace {

// Each pair was checked with Python: bytes.decode("utf-8", errors="replace").
TEST(Utf8, ReplacesInvalidBytesAsPythonDoes) {
  const std::string r = "\xEF\xBF\xBD";
  const std::pair<std::string, std::string> cases[] = {
      {"", ""},
      {"plain \xC3\xA9 \xE2\x99\xAA \xF0\x9F\x98\x80", "plain é ♪ 😀"},
      {"\x80", r},
      {"\xBF\xBF", r + r},
      {"\xC0\xAF", r + r},                  // overlong
      {"\xE0\x80\x80", r + r + r},          // overlong
      {"\xED\xA0\x80", r + r + r},          // surrogate
      {"\xF4\x90\x80\x80", r + r + r + r},  // past U+10FFFF
      {"\xF5\x80", r + r},
      {"\xE2\x99", r},  // cut off: one for the part
      {"\xE2\x99x", r + "x"},
      {"\xF0\x9F\x98", r},
      {"\xF0\x9F\x98 \xF0\x9F", r + " " + r},
      {"\xE2\xE2\x99\xAA", r + "♪"},
      {"\xFF\xFE", r + r},
  };
  for (const auto& [bytes, text] : cases) EXPECT_EQ(valid_utf8(bytes), text);
}

TEST(Utf8, TellsWhetherMoreBytesCouldHelp) {
  EXPECT_TRUE(first_utf8("\xE2\x99").unfinished);
  EXPECT_TRUE(first_utf8("\xF0").unfinished);
  EXPECT_FALSE(first_utf8("\x80").unfinished);
  EXPECT_FALSE(first_utf8("\xE0\x80").unfinished);
  EXPECT_FALSE(first_utf8("\xE2\x99x").unfinished);
  EXPECT_FALSE(first_utf8("a").unfinished);
}

TEST(Utf8, EveryCodePointSurvivesWritingAndReading) {
  for (char32_t code = 1; code <= 0x10FFFF; code += code < 0x10000 ? 1 : 101) {
    if (code >= 0xD800 && code <= 0xDFFF) continue;
    std::string text;
    append_utf8(text, code);
    const Utf8Character read = first_utf8(text);
    ASSERT_TRUE(read.valid) << static_cast<uint32_t>(code);
    ASSERT_EQ(read.code, code);
    ASSERT_EQ(read.size, text.size());
  }
}

TEST(Utf8, CodePointsCountCharacters) { EXPECT_EQ(code_points("aé♪😀\xFF"), U"aé♪😀\uFFFD"); }

TEST(Utf8, TrimsWhatPythonStrips) {
  EXPECT_EQ(trimmed("  a b \t\n"), "a b");
  EXPECT_EQ(trimmed("\u3000あ\u00A0"), "あ");
  EXPECT_EQ(trimmed("\x1C\x1Fx\u2028"), "x");
  EXPECT_EQ(trimmed(" \u2003 "), "");
  EXPECT_EQ(trimmed(""), "");
  EXPECT_EQ(trimmed("\u200Bx"), "\u200Bx") << "zero-width space is not white space";
  EXPECT_EQ(trimmed("x\x80\x80\x80\x80 "), "x\x80\x80\x80\x80");
}

}  // namespace
}  // namespace whisper_s4y
