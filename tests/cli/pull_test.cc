#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/run_program.h"
#include "hub/fake_hub.h"

namespace whisper_s4y {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Pull, DownloadsFromTheHubOfTheEnvironment) {
  FakeHub hub;
  hub.files["config.json"].content = "{}";
  hub.files["model.safetensors"].content = "weights";
  const TemporaryFolder folder;
  const ProgramResult result = run_program({"pull", "tiny.en", "-o", folder.file("tiny.en")},
                                           {.environment = {{"HF_ENDPOINT", hub.address()}},
                                            .standard_input = "",
                                            .standard_output = {},
                                            .interrupt_after_ms = 0});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("openai/whisper-tiny.en is in " + folder.file("tiny.en")));
  EXPECT_EQ(read_file(folder.path() / "tiny.en/model.safetensors"), "weights");
}

TEST(Pull, TellsWhatTheHubRefuses) {
  FakeHub hub;
  hub.required_token = "secret";
  const TemporaryFolder folder;
  const ProgramResult result =
      run_program({"pull", "tiny.en", "-o", folder.file("tiny.en")},
                  {.environment = {{"HF_ENDPOINT", hub.address()}, {"HF_TOKEN", ""}},
                   .standard_input = "",
                   .standard_output = {},
                   .interrupt_after_ms = 0});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("whisper-s4y: Cannot download"));
  EXPECT_THAT(result.err, HasSubstr("needs a token in HF_TOKEN"));
}

TEST(Pull, RefusesWhatIsNoModel) {
  const ProgramResult result = run_program({"pull", "tinny", "-o", "x"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("'tinny' names no model"));
}

}  // namespace
}  // namespace whisper_s4y
