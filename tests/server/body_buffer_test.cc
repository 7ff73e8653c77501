#include "server/body_buffer.h"

#include <gmock/gmock.h>

#include <stdexcept>

#include "read_text.h"
#include "server/api_error.h"

namespace whisper_s4y::server {
namespace {

int status_of(BodyBuffer& body) {
  try {
    (void)body.read_text(1 << 20);
  } catch (const ApiError& error) {
    return error.status();
  }
  return 200;
}

TEST(BodyBuffer, GivesOutWhatComes) {
  SlowText slow("one, two, three", 4);
  std::istream stream(&slow);
  BodyBuffer body(stream, 15, 100, [] {});
  EXPECT_EQ(body.read_text(100), "one, two, three");
  EXPECT_TRUE(body.is_complete());
  EXPECT_EQ(body.size(), 15);
  EXPECT_TRUE(body.ends_in("three", 0));
  EXPECT_TRUE(body.ends_in("two, ", 5));
  EXPECT_FALSE(body.ends_in("two", 4));
}

TEST(BodyBuffer, RefusesAStatedLengthBeforeReading) {
  SlowText slow("one", 4);
  std::istream stream(&slow);
  BodyBuffer body(stream, int64_t{10} << 30, 100, [] {});
  EXPECT_EQ(status_of(body), 413);
  EXPECT_EQ(body.size(), 0);
}

TEST(BodyBuffer, RefusesMoreThanIsAllowedWhateverIsStated) {
  SlowText slow(std::string(1000, 'x'), 64);
  std::istream stream(&slow);
  BodyBuffer body(stream, -1, 100, [] {});
  EXPECT_EQ(status_of(body), 413);
  EXPECT_LE(body.size(), 100);
  EXPECT_FALSE(body.is_complete());
}

TEST(BodyBuffer, TellsAClientThatHasGoneFromTheEnd) {
  SlowText slow("half", 4);
  std::istream stream(&slow);
  BodyBuffer body(stream, 8, 100, [] {});
  EXPECT_THROW((void)body.read_text(100), ClientGone);
}

TEST(BodyBuffer, EndsWithWhatItsOwnerThrows) {
  SlowText slow("one, two, three", 4);
  std::istream stream(&slow);
  int asked = 0;
  BodyBuffer body(stream, 15, 100, [&] {
    if (++asked == 3) throw std::runtime_error("enough");
  });
  EXPECT_THROW((void)body.read_text(100), std::runtime_error);
  EXPECT_EQ(body.size(), 8);
}

}  // namespace
}  // namespace whisper_s4y::server
