#include "common/unfinished_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <thread>
#include <vector>

#include "support/errors.h"
#include "support/files.h"

namespace whisper_s4y {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(UnfinishedFile, IsRemovedWhileItLives) {
  const TemporaryFolder folder;
  for (const char* name : {"finished", "other", "unfinished"}) write_file(folder / name, "x");
  // The process must end after it, as in a signal handler.
  const auto interrupted = [&] {
    const UnfinishedFile unfinished(folder.file("unfinished"));
    { const UnfinishedFile finished(folder.file("finished")); }
    remove_unfinished_files();
    std::_Exit(7);
  };
  EXPECT_EXIT(interrupted(), ::testing::ExitedWithCode(7), "");
  EXPECT_THAT(folder.names(), ElementsAre("finished", "other"));
}

TEST(UnfinishedFile, ManyThreadsMayWrite) {
  const TemporaryFolder folder;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&folder, i] {
      const std::string path = folder.file(std::to_string(i));
      for (int j = 0; j < 1000; ++j) const UnfinishedFile file(path);
    });
  }
  threads.clear();
  // Every place is free again.
  std::vector<std::unique_ptr<UnfinishedFile>> files;
  for (int i = 0; i < 64; ++i) files.push_back(std::make_unique<UnfinishedFile>("none"));
  EXPECT_THAT(message_of([] { const UnfinishedFile one_more("one"); }),
              HasSubstr("64 files are being written already"));
  files.pop_back();
  EXPECT_EQ(message_of([] { const UnfinishedFile one_more("one"); }), "no error");
}

}  // namespace
}  // namespace whisper_s4y
