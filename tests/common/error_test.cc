#include "whisper_s4y/error.h"

#include <gtest/gtest.h>

namespace whisper_s4y {
namespace {

TEST(Error, KeepsASentenceAsItIs) {
  EXPECT_STREQ(Error(ErrorCode::io, "Größe 5 of model.bin is wrong.").what(),
               "Größe 5 of model.bin is wrong.");
}

TEST(Error, ShowsControlCharacters) {
  EXPECT_STREQ(Error(ErrorCode::io, std::string_view("a\0b\n\x1b[2J\x7f.", 10)).what(),
               "a\\x00b\\x0a\\x1b[2J\\x7f.");
}

TEST(Error, ReplacesWhatIsNotUtf8) {
  EXPECT_STREQ(Error(ErrorCode::io, "a\xff.").what(), "a\xEF\xBF\xBD.");
}

TEST(Error, LeavesTheMiddleOfLongMessagesOut) {
  const std::string name(100'000, 'x');
  const std::string message = Error(ErrorCode::io, "The tensor " + name + " is wrong.").what();
  EXPECT_LT(message.size(), 2100U);
  EXPECT_TRUE(message.starts_with("The tensor xxx"));
  EXPECT_TRUE(message.ends_with("xxx is wrong."));
  std::string umlauts;
  for (int i = 0; i < 5000; ++i) umlauts += "ü";
  for (const char* before : {"", "a"}) {
    const std::string cut = Error(ErrorCode::io, before + umlauts).what();
    const size_t gap = cut.find(" [...] ");
    EXPECT_EQ(cut.substr(gap - 2, 2), "ü");
    EXPECT_EQ(cut.substr(gap + 7, 2), "ü");
  }
}

}  // namespace
}  // namespace whisper_s4y
