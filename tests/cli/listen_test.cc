#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/run_program.h"

namespace whisper_s4y {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(Listen, SaysWhyThereIsNoMicrophone) {
  const ProgramResult result = run_program({"listen", "model.tflite", "no-such-device"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("Cannot open the sound device \"no-such-device\": "));
  EXPECT_THAT(result.out, IsEmpty());
}

TEST(Listen, RefusesImpossibleOptions) {
  for (const char* value : {"0", "x", "100"}) {
    EXPECT_EQ(run_program({"listen", "m.tflite", "-", "--update-interval", value}).exit_code, 2);
  }
  EXPECT_EQ(run_program({"listen", "m.tflite", "-", "--pcm-format", "u8"}).exit_code, 2);
}

}  // namespace
}  // namespace whisper_s4y
