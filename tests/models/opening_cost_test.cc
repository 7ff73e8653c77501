// Opening a checkpoint reads its header alone: at most 50 ms of the processor and 20 MB of memory
// beyond the mapped file, whatever the format.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <ctime>
#include <fstream>
#include <iostream>
#include <new>
#include <string>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "formats/open_checkpoint.h"
#include "models/write_bundle.h"
#include "support/files.h"

namespace whisper_s4y {
namespace {

constexpr rlim_t kMaxBytes = 20'000'000;
// Thrice the aim, for slow and busy machines; the least of a few counts.
constexpr double kMaxSeconds = 0.15;
constexpr int kRounds = 3;

double processor_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

double seconds_to_open(const std::filesystem::path& path) {
  double least = 1e9;
  for (int i = 0; i < kRounds; ++i) {
    const double start = processor_seconds();
    const auto checkpoint = open_checkpoint(path);
    least = std::min(least, processor_seconds() - start);
  }
  return least;
}

/// Bytes of private writable memory, which is what RLIMIT_DATA counts.
rlim_t data_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmData:")) return std::stoull(line.substr(7)) * 1024;
  }
  return 0;
}

/// Runs `action` in a process of its own, which takes no memory that others have freed; its result
/// is the process's exit code.
template <typename Action>
int in_new_process(Action&& action) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(action());
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/// Whether the checkpoint opens in a process that may take no more memory.
bool opens_with_little_memory(const std::filesystem::path& path) {
  const int result = in_new_process([&] {
    const rlim_t most = data_bytes() + kMaxBytes;
    const rlimit limit{most, most};
    if (::setrlimit(RLIMIT_DATA, &limit) != 0) return 2;
    try {
      return open_checkpoint(path)->tensors.empty() ? 3 : 0;
    } catch (const std::bad_alloc&) {
      return 1;
    }
  });
  EXPECT_TRUE(result == 0 || result == 1) << result;
  return result == 0;
}

TEST(CostOfOpening, IsThatOfAHeader) {
  const TemporaryFolder converted;
  std::vector<std::filesystem::path> paths;
  for (const std::string& name : std::vector<std::string>{"tiny.en", "base"}) {
    const auto folder = genuine_checkpoint(name);
    if (folder.empty()) GTEST_SKIP() << "needs WHISPER_S4Y_CHECKPOINTS";
    const auto bundle = converted / (name + ".tflite");
    const int result = in_new_process([&] {
      write_bundle(*open_checkpoint(folder / "hf"), bundle);
      return 0;
    });
    ASSERT_EQ(result, 0);
    paths.push_back(bundle);
    for (const char* format : {"hf", "hf-f32", "hf-sharded", "hf-bin", "openai", "ct2"}) {
      paths.push_back(folder / format);
    }
    for (const char* suffix : {"", "-q5_0"}) {
      paths.push_back(folder / "ggml" / ("ggml-" + name + suffix + ".bin"));
    }
  }
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "the sanitizer takes time and memory of its own";
#endif
  for (const auto& path : paths) EXPECT_TRUE(opens_with_little_memory(path)) << path;
  for (const auto& path : paths) {
    const double seconds = seconds_to_open(path);
    std::cout << fmt::format("{:.3f} s  {}\n", seconds, path.string());
    EXPECT_LE(seconds, kMaxSeconds) << path;
  }
}

}  // namespace
}  // namespace whisper_s4y
