#include "server/form.h"

#include <gmock/gmock.h>

#include "read_text.h"
#include "server/api_error.h"

namespace whisper_s4y::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string bytes_of(const Form& form) {
  std::string bytes(static_cast<size_t>(form.file->size().value()), '\0');
  const Span<std::byte> out(reinterpret_cast<std::byte*>(bytes.data()), bytes.size());
  bytes.resize(form.file->read(0, out));
  return bytes;
}

std::string error_of(const std::string& text, int status) {
  try {
    (void)form_of(text);
  } catch (const ApiError& error) {
    EXPECT_EQ(error.status(), status);
    return error.what();
  }
  return "no error";
}

TEST(Form, HasFieldsAndFileWhateverTheirOrderAndPieces) {
  const std::string bytes("RIFF\0\r\n--X\r\n--XY\r\n", 18);
  const std::string text = field("model", "base") + file("a.wav", bytes) + field("language", "de") +
                           field("x[]", "1") + field("x[]", "2") + kEnd;
  for (const size_t piece : {1, 2, 3, 7, 64, 10'000}) {
    const Form form = form_of(text, piece);
    EXPECT_EQ(form.find("model"), "base");
    EXPECT_EQ(form.find("language"), "de");
    EXPECT_THAT(form.all("x"), ElementsAre("1", "2"));
    EXPECT_EQ(form.file_name, "a.wav");
    EXPECT_EQ(bytes_of(form), bytes) << piece;
  }
}

TEST(Form, KeepsOnlyTheNameOfAPath) {
  EXPECT_EQ(form_of(file("../../etc/passwd", "x") + kEnd).file_name, "passwd");
  EXPECT_EQ(form_of(file(R"(C:\\Users\\talk.mp3)", "x") + kEnd).file_name, "talk.mp3");
}

TEST(Form, KeepsALargeFileOutOfMemory) {
  const std::string bytes(Upload::kMostInMemory + 100'000, 'a');
  const Form form = form_of(file("a.wav", bytes + "end") + kEnd, 1 << 15);
  EXPECT_EQ(form.file->size(), static_cast<int64_t>(bytes.size() + 3));
  std::array<std::byte, 10> end{};
  EXPECT_EQ(form.file->read(static_cast<int64_t>(bytes.size()), end), 3U);
  EXPECT_EQ(end[0], std::byte{'e'});
}

TEST(Form, ALargeFileIsReadWhileItComes) {
  const std::string bytes = [] {
    std::string many(3 << 20, '\0');
    for (size_t i = 0; i < many.size(); ++i) many[i] = static_cast<char>(i * i / 7);
    return many;
  }();
  const std::string text =
      field("model", "base") + file("a.wav", bytes) + field("language", "de") + kEnd;
  SlowText slow(text, 1000);
  std::istream stream(&slow);
  BodyBuffer body(stream, static_cast<int64_t>(text.size()), kAnySize, [] {});
  std::string heard;
  const auto listen = [&](const Form& so_far, const std::shared_ptr<ArrivingFile>& arriving) {
    EXPECT_EQ(so_far.find("model"), "base");
    EXPECT_EQ(so_far.find("language"), std::nullopt);
    EXPECT_LT(body.size(), 2 << 20);
    EXPECT_EQ(arriving->size(), std::nullopt);
    std::array<std::byte, 10'000> piece{};
    while (heard.size() < (2 << 20)) {  // not to its end
      const size_t got = arriving->read(static_cast<int64_t>(heard.size()), piece);
      heard.append(reinterpret_cast<const char*>(piece.data()), got);
    }
  };
  const Form form =
      read_form("multipart/form-data; boundary=XX", body, {}, listen, std::chrono::seconds(0));
  EXPECT_EQ(heard, bytes.substr(0, heard.size()));
  EXPECT_EQ(bytes_of(form), bytes);
  EXPECT_EQ(form.find("language"), "de");
}

TEST(Form, MayBeUrlEncoded) {
  const Form form =
      form_of("model=x%20y&language=de", 5, kAnySize, "application/x-www-form-urlencoded");
  EXPECT_EQ(form.find("model"), "x y");
  EXPECT_EQ(form.file, nullptr);
}

TEST(Form, IsNotTakenInHalf) {
  EXPECT_THAT(error_of(file("a.wav", "abc"), 400), HasSubstr("last boundary is missing"));
  EXPECT_THAT(error_of(field("model", "base") + "--XX\r\nContent-Dispo", 400),
              HasSubstr("The form"));
  EXPECT_THAT(error_of("nothing of the kind", 400), HasSubstr("The form"));
}

TEST(Form, HasLimits) {
  std::string many;
  for (int i = 0; i < 300; ++i) many += field("f" + std::to_string(i), "x");
  EXPECT_THAT(error_of(many + kEnd, 400), HasSubstr("The form cannot be read"));
  EXPECT_THAT(error_of(field("prompt", std::string(1 << 20, 'x')) + kEnd, 400),
              HasSubstr("The form cannot be read"));
  EXPECT_THAT(error_of(file("a", "x") + file("b", "y") + kEnd, 400), HasSubstr("two files"));
}

TEST(Form, OfAnotherKindIsRefused) {
  try {
    (void)form_of("{}", 10, kAnySize, "application/json");
    FAIL();
  } catch (const ApiError& error) {
    EXPECT_EQ(error.status(), 415);
  }
}

}  // namespace
}  // namespace whisper_s4y::server
