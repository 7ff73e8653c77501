#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/run_program.h"

namespace whisper_s4y {
namespace {

using ::testing::HasSubstr;

TEST(Verify, ComparesWithTheCheckpointAndFailsBeyondABound) {
  const auto checkpoint = genuine_checkpoint("tiny.en/hf");
  if (checkpoint.empty()) GTEST_SKIP() << "needs WHISPER_S4Y_CHECKPOINTS";
  const TemporaryFolder folder;
  const std::string model = folder.file("tiny.en.tflite");
  ASSERT_EQ(
      run_program({"convert", checkpoint.string(), "-o", model, "--quantize", "int8"}).exit_code,
      0);
  const ProgramResult good = run_program({"verify", model, "--against", checkpoint.string(), "-q"});
  EXPECT_EQ(good.exit_code, 0) << good.err;
  EXPECT_THAT(good.out, HasSubstr("logits"));
  const ProgramResult bad = run_program(
      {"verify", model, "--against", checkpoint.string(), "-q", "--max-encoder", "1e-6"});
  EXPECT_EQ(bad.exit_code, 1);
  EXPECT_THAT(bad.out, HasSubstr("too much"));
  EXPECT_THAT(bad.err, HasSubstr("differs too much"));
}

TEST(Verify, RefusesOptionsWithoutEffect) {
  EXPECT_EQ(run_program({"verify", "x.tflite", "--max-mel", "1"}).exit_code, 2);
  EXPECT_EQ(run_program({"verify", "x.tflite", "--audio", "a.wav"}).exit_code, 2);
}

}  // namespace
}  // namespace whisper_s4y
