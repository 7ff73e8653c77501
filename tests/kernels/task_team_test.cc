#include "kernels/task_team.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <set>
#include <thread>
#include <vector>

namespace whisper_s4y {
namespace {

TEST(TaskTeamTest, DoesEachTaskOnce) {
  for (const size_t size : {1, 2, 5}) {
    TaskTeam team(size);
    for (size_t count = 0; count < 200; ++count) {
      std::vector<int> done(count);
      team.for_each(count, [&](size_t task, size_t member) {
        ASSERT_LT(member, size);
        ++done[task];
      });
      EXPECT_EQ(done, std::vector<int>(count, 1));
    }
  }
}

TEST(TaskTeamTest, SharesLongTasks) {
  TaskTeam team(3);
  std::vector<size_t> by(6);
  team.for_each(by.size(), [&](size_t task, size_t member) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    by[task] = member;
  });
  EXPECT_EQ(std::set(by.begin(), by.end()), (std::set<size_t>{0, 1, 2}));
}

// Helpers sleep in between.
TEST(TaskTeamTest, WakesUp) {
  TaskTeam team(2);
  std::atomic<int> done = 0;
  for (int i = 0; i < 20; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(i % 5));
    team.for_each(4, [&](size_t, size_t) { ++done; });
  }
  EXPECT_EQ(done, 80);
}

TEST(TaskTeamTest, SeesWhatOthersWrote) {
  TaskTeam team(4);
  std::vector<int> numbers(64, 1);
  for (int round = 0; round < 1000; ++round) {
    team.for_each(numbers.size(), [&](size_t task, size_t) { numbers[task] += 1; });
    team.for_each(numbers.size() / 2, [&](size_t task, size_t) {
      std::swap(numbers[task], numbers[numbers.size() - 1 - task]);
    });
  }
  EXPECT_EQ(numbers, std::vector<int>(64, 1001));
}

}  // namespace
}  // namespace whisper_s4y
