#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "cli/run_program.h"

namespace whisper_s4y {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// A mono WAV file of 16-bit samples at 16 kHz: a tone.
std::string tone(size_t samples) {
  const auto number = [](auto value) {
    return std::string(reinterpret_cast<const char*>(&value), sizeof value);
  };
  std::string data;
  for (size_t i = 0; i < samples; ++i) {
    data += number(static_cast<int16_t>(8000 * std::sin(0.17 * static_cast<double>(i))));
  }
  const auto size = static_cast<uint32_t>(data.size());
  return "RIFF" + number(size + 36) + "WAVEfmt " + number(uint32_t{16}) + number(uint16_t{1}) +
         number(uint16_t{1}) + number(uint32_t{16000}) + number(uint32_t{32000}) +
         number(uint16_t{2}) + number(uint16_t{16}) + "data" + number(size) + data;
}

constexpr size_t kNpyHeader = 128;

std::vector<float> numbers_of(const std::string& npy) {
  std::vector<float> numbers((npy.size() - kNpyHeader) / sizeof(float));
  std::memcpy(numbers.data(), npy.data() + kNpyHeader, numbers.size() * sizeof(float));
  return numbers;
}

TEST(Features, WritesOneWindowForThirtySeconds) {
  const TemporaryFolder folder;
  write_file(folder.file("tone.wav"), tone(16000));
  const ProgramResult result =
      run_program({"features", folder.file("tone.wav"), "-o", folder.file("tone.npy")});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("float32 [1, 80, 3000] from 1.0 s of sound"));
  const std::vector<float> logmel = numbers_of(read_file(folder.file("tone.npy")));
  ASSERT_EQ(logmel.size(), 80U * 3000);
  // 0.17 rad a sample are 433 Hz, the loudest band; values span at most 2 = 8 decades / 4.
  const auto [low, high] = std::minmax_element(logmel.begin(), logmel.end());
  EXPECT_FLOAT_EQ(*high - *low, 2.0F);
  EXPECT_LT((high - logmel.begin()) % 3000, 102);
}

TEST(Features, WritesAWindowForEachThirtySeconds) {
  const TemporaryFolder folder;
  write_file(folder.file("tone.wav"), tone(480001));
  const ProgramResult result = run_program({"features", folder.file("tone.wav"), "-o",
                                            folder.file("tone.npy"), "--mel-bins", "128", "-q"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.err, "");
  const std::string npy = read_file(folder.file("tone.npy"));
  EXPECT_THAT(npy.substr(0, kNpyHeader), HasSubstr("'shape': (2, 128, 3000)"));
  EXPECT_EQ(npy.size(), kNpyHeader + 2UL * 128 * 3000 * sizeof(float));
}

TEST(Features, LeavesNothingBehindOnErrors) {
  const TemporaryFolder folder;
  write_file(folder.file("text.wav"), "this is no sound");
  const ProgramResult result =
      run_program({"features", folder.file("text.wav"), "-o", folder.file("x.npy")});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("text.wav"));
  EXPECT_THAT(folder.names(), ElementsAre("text.wav"));
}

}  // namespace
}  // namespace whisper_s4y
