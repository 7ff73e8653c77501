// Inputs that once made a reader fail must never do so again.
#include <gtest/gtest.h>

#include "fuzz/harness.h"
#include "support/files.h"

namespace whisper_s4y {
namespace {

TEST(FuzzFindings, StayMended) {
  const std::filesystem::path findings = source_dir() / "tests/fuzz/findings";
  int replayed = 0;
  for (const auto& target : std::filesystem::directory_iterator(findings)) {
    for (const auto& finding : std::filesystem::directory_iterator(target)) {
      SCOPED_TRACE(finding.path().string());
      const std::string bytes = read_file(finding.path());
      run_fuzz_target(target.path().filename().string(), std::as_bytes(std::span(bytes)));
      ++replayed;
    }
  }
  EXPECT_GT(replayed, 0);
}

}  // namespace
}  // namespace whisper_s4y
