#include "server/work_queue.h"

#include <gmock/gmock.h>

#include <atomic>
#include <optional>
#include <thread>
#include <vector>

#include "server/api_error.h"

namespace whisper_s4y::server {
namespace {

using namespace std::chrono_literals;

void nothing() {}

TEST(WorkQueue, AdmitsSoManyAndTellsTheOthersWhenToComeAgain) {
  WorkQueue queue(/*workers=*/1, /*threads=*/2, /*most_waiting=*/1);
  const WorkQueue::Ticket first = queue.admit();
  std::optional<WorkQueue::Ticket> second(queue.admit());
  try {
    (void)queue.admit();
    FAIL();
  } catch (const ApiError& error) {
    EXPECT_EQ(error.status(), 429);
    EXPECT_GE(error.retry_after().value_or(0), 1);
  }
  second.reset();
  (void)queue.admit();
}

TEST(WorkQueue, GivesOneAllThreadsAndSeveralTheirShare) {
  WorkQueue queue(/*workers=*/4, /*threads=*/4, /*most_waiting=*/4);
  std::optional<WorkQueue::Turn> alone(queue.wait(nothing));
  EXPECT_EQ(alone->threads(), 4);
  const WorkQueue::Turn second = queue.wait(nothing);
  EXPECT_EQ(second.threads(), 2);
  const WorkQueue::Turn third = queue.wait(nothing);
  EXPECT_EQ(third.threads(), 1);
  alone.reset();
  EXPECT_EQ(queue.busy(), 2);
}

TEST(WorkQueue, ServesInTheOrderOfArrival) {
  WorkQueue queue(1, 1, 10);
  std::optional<WorkQueue::Turn> turn(queue.wait(nothing));
  std::vector<int> order;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&, i] {
      const WorkQueue::Turn mine = queue.wait(nothing);
      order.push_back(i);  // one at a time: there is one worker
    });
    while (queue.waiting() != i + 1) std::this_thread::sleep_for(1ms);
  }
  turn.reset();
  threads.clear();
  EXPECT_THAT(order, testing::ElementsAre(0, 1, 2));
}

TEST(WorkQueue, LetsGoOfThoseWhoGiveUp) {
  WorkQueue queue(1, 1, 10);
  const WorkQueue::Turn turn = queue.wait(nothing);
  EXPECT_THROW((void)queue.wait([] { throw ClientGone(); }), ClientGone);
  EXPECT_EQ(queue.waiting(), 0);
}

TEST(WorkQueue, SendsEverybodyAwayWhenItCloses) {
  WorkQueue queue(1, 1, 10);
  const WorkQueue::Turn turn = queue.wait(nothing);
  std::atomic<int> status = 0;
  std::jthread waiting([&] {
    try {
      (void)queue.wait(nothing);
    } catch (const ApiError& error) {
      status = error.status();
    }
  });
  while (queue.waiting() == 0) std::this_thread::sleep_for(1ms);
  queue.close();
  waiting.join();
  EXPECT_EQ(status, 503);
  EXPECT_FALSE(queue.is_open());
  EXPECT_THROW((void)queue.admit(), ApiError);
}

}  // namespace
}  // namespace whisper_s4y::server
