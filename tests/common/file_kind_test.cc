#include "common/file_kind.h"

#include <gtest/gtest.h>

namespace whisper_s4y {
namespace {

FileKind kind(std::string_view text) { return kind_of(std::as_bytes(std::span(text))); }
std::string_view else_of(std::string_view text) {
  return what_else(std::as_bytes(std::span(text)));
}

TEST(FileKind, GoesByTheBeginning) {
  using namespace std::string_view_literals;
  EXPECT_EQ(kind("\x02\0\0\0\0\0\0\0{}"sv), FileKind::safetensors);
  EXPECT_EQ(kind("PK\x03\x04"), FileKind::torch);
  EXPECT_EQ(kind("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."sv), FileKind::torch);
  EXPECT_EQ(kind("\x06\0\0\0\x0c\0WhisperSpec\0"sv), FileKind::ctranslate2);
  EXPECT_EQ(kind("lmgg"), FileKind::ggml);
  EXPECT_EQ(kind("\x10\0\0\0TFL3\0\0\0\0\0\0\0\0"sv), FileKind::tflite);
  EXPECT_EQ(kind("{\"a\": 1}"), FileKind::json);
  for (const std::string_view other : {""sv, "\0"sv, "text"sv, "\x02\0\0\0\0\0\0\0[]"sv}) {
    EXPECT_EQ(kind(other), FileKind::other);
    EXPECT_EQ(else_of(other), "");
  }
}

TEST(FileKind, ExplainsWhatIsNoModel) {
  EXPECT_TRUE(else_of("version https://git-lfs.github.com/spec/v1").starts_with("is a Git LFS"));
  EXPECT_TRUE(else_of("\xEF\xBB\xBF \n<HTML>").starts_with("is a web page"));
  EXPECT_TRUE(else_of("{}").starts_with("is a JSON file"));
  EXPECT_EQ(else_of("#version: 0.2\nh e\n"), "");
}

TEST(PartOfBytes, CountsInTheUnitOfTheWhole) {
  EXPECT_EQ(part_of_bytes(38'000'000, 75'600'000), "38 of 76 MB");
  EXPECT_EQ(part_of_bytes(1'500'000, 3'100'000), "1.5 of 3.1 MB");
  EXPECT_EQ(part_of_bytes(1'500'000'000, 3'100'000'000), "1.5 of 3.1 GB");
  EXPECT_EQ(part_of_bytes(75'599'999, 75'600'000), "75599999 of 75600000 bytes");
  EXPECT_EQ(part_of_bytes(59, 10'000'000'000), "59 bytes of 10.0 GB");
  EXPECT_EQ(part_of_bytes(0, 100), "0 of 100 bytes");
}

}  // namespace
}  // namespace whisper_s4y
