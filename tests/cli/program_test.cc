#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/run_program.h"

namespace whisper_s4y {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

TEST(Program, TellsItsVersion) {
  const ProgramResult result = run_program({"--version"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.out, "whisper-s4y " WHISPER_S4Y_PROJECT_VERSION "\n");
}

TEST(Program, ListsItsCommands) {
  const ProgramResult result = run_program({"--help"});
  EXPECT_EQ(result.exit_code, 0);
  for (const char* command : {"convert", "transcribe", "inspect", "features", "pull"}) {
    EXPECT_THAT(result.out, HasSubstr(std::string("\n  ") + command + " "));
  }
  EXPECT_THAT(result.err, IsEmpty());
}

TEST(Program, EveryCommandExplainsItself) {
  for (const char* command : {"convert", "transcribe", "inspect", "features", "pull"}) {
    const ProgramResult result = run_program({command, "--help"});
    EXPECT_EQ(result.exit_code, 0) << command;
    EXPECT_THAT(result.out, HasSubstr(std::string("Usage: whisper-s4y ") + command));
    EXPECT_THAT(result.out, HasSubstr(std::string("Examples:\n  whisper-s4y ") + command));
  }
}

TEST(Program, TellsWrongUsageFromErrors) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{},
        {"transmogrify"},
        {"inspect"},
        {"inspect", "a", "b"},
        {"inspect", "a", "--nonsense"},
        {"convert", "a", "-o", "b", "--quantize", "int3"}}) {
    const ProgramResult result = run_program(arguments);
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_THAT(result.err, StartsWith("whisper-s4y: "));
    EXPECT_THAT(result.err, HasSubstr("--help"));
    EXPECT_THAT(result.out, IsEmpty());
  }
}

TEST(Program, SaysWhenItsOutputCannotBeWritten) {
  const ProgramResult result = run_program({"--help"}, {.environment = {},
                                                        .standard_input = "",
                                                        .standard_output = "/dev/full",
                                                        .interrupt_after_ms = 0});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("whisper-s4y: Cannot write to the standard output"));
}

}  // namespace
}  // namespace whisper_s4y
