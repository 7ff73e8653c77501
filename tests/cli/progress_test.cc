#include "cli/progress.h"

#include <gtest/gtest.h>

namespace whisper_s4y {
namespace {

TEST(FormatBytes, CountsInThousands) {
  EXPECT_EQ(format_bytes(0), "0 B");
  EXPECT_EQ(format_bytes(999), "999 B");
  EXPECT_EQ(format_bytes(1000), "1.0 kB");
  EXPECT_EQ(format_bytes(75537502), "75.5 MB");
  EXPECT_EQ(format_bytes(999'960'000), "1.0 GB");
  EXPECT_EQ(format_bytes(6'173'655'480), "6.2 GB");
}

TEST(FormatDuration, GrowsItsUnit) {
  EXPECT_EQ(format_duration(0.04), "0.0 s");
  EXPECT_EQ(format_duration(59.9), "59.9 s");
  EXPECT_EQ(format_duration(59.97), "1:00 min");
  EXPECT_EQ(format_duration(65), "1:05 min");
  EXPECT_EQ(format_duration(7384), "2:03:04 h");
}

}  // namespace
}  // namespace whisper_s4y
