#include "common/boundary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <stdexcept>
#include <system_error>

#include "support/errors.h"
#include "whisper_s4y/error.h"

namespace whisper_s4y {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

template <typename Exception>
std::string message_for(const Exception& exception) {
  return message_of([&] { with_errors([&] { throw exception; }); });
}

TEST(Boundary, GivesWhatTheBodyGives) {
  EXPECT_EQ(with_errors([] { return 7; }), 7);
  int number = 1;
  int& same = with_errors([&]() -> int& { return number; });
  EXPECT_EQ(&same, &number);
}

TEST(Boundary, MakesErrorsOfAllExceptions) {
  EXPECT_EQ(message_for(Error(ErrorCode::io, "As it is.")), "As it is.");
  EXPECT_EQ(message_for(std::bad_alloc()), "There is not enough memory.");
  EXPECT_EQ(message_for(std::filesystem::filesystem_error(
                "x", "/some/path", std::make_error_code(std::errc::permission_denied))),
            "Cannot use /some/path: Permission denied.");
  EXPECT_THAT(message_for(std::system_error(
                  std::make_error_code(std::errc::resource_unavailable_try_again))),
              AllOf(HasSubstr("The system"), HasSubstr("Resource temporarily unavailable.")));
  EXPECT_THAT(message_for(std::length_error("too long")), HasSubstr("too long"));
}

struct Mine {};  // not even a std::exception

TEST(Boundary, LeavesWhatCallbacksThrowAsItIs) {
  const std::function<int(int)> callback = [](int number) {
    if (number > 0) throw Mine();
    return number;
  };
  EXPECT_EQ(with_errors([&] { return guarded(callback)(-1); }), -1);
  EXPECT_THROW(with_errors([&] { guarded(callback)(1); }), Mine);
  // Through a public function that calls another.
  EXPECT_THROW(with_errors([&] {
                 const auto outer = guarded(callback);
                 with_errors([&] { guarded(outer)(1); });
               }),
               Mine);
  EXPECT_FALSE(guarded(std::function<void()>()));
}

}  // namespace
}  // namespace whisper_s4y
