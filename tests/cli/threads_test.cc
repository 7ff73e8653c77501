// The commands with threads of their own; under the preset tsan a race ends them with an exit code.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "cli/run_program.h"
#include "cli/small_model.h"
#include "whisper_s4y/audio.h"

namespace whisper_s4y {
namespace {

using ::testing::HasSubstr;

const std::filesystem::path kRecording = source_dir() / "examples" / "jfk.flac";

TEST(ProgramThreads, ManyRecordingsAtATime) {
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder / "in");
  for (int i = 0; i < 6; ++i) {
    std::filesystem::copy_file(kRecording, folder / ("in/" + std::to_string(i) + ".flac"));
  }
  write_file(folder / "in/bad.wav", "no sound");
  const ProgramResult result =
      run_program({"transcribe", small_model(), folder.file("in"), "-o", folder.file("out"),
                   "--jobs", "4", "-f", "all", "--word-timestamps", "--max-new-tokens", "8"});
  EXPECT_EQ(result.exit_code, 1) << result.err;
  EXPECT_THAT(result.err, HasSubstr("6 transcribed, 0 done before, 1 failed."));
}

TEST(ProgramThreads, Batches) {
  const ProgramResult result = run_program({"transcribe", small_model(), kRecording.string(),
                                            "--batched", "--batch-size", "3", "--no-cache"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
}

TEST(ProgramThreads, ListensWhileItTranscribes) {
  std::string pcm;
  for (const float sample : load_audio(kRecording)) {
    const auto value = static_cast<int16_t>(std::lround(sample * 32767));
    pcm += static_cast<char>(value & 0xFF);
    pcm += static_cast<char>(value >> 8);
  }
  const ProgramResult result = run_program(
      {"listen", small_model(), "-", "--language", "en", "--no-cache"}, {.standard_input = pcm});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("11.0 s of sound"));
}

}  // namespace
}  // namespace whisper_s4y
