#include "kernels/task_team.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace whisper_s4y {
namespace {

// Some 50 us: longer than choosing a token takes, shorter than anybody else on the machine minds.
constexpr int kLooks = 2000;

constexpr int kTasksShift = 16;
constexpr int kJobShift = 32;
constexpr uint64_t kSixteenBits = 0xFFFF;

uint64_t begun(uint64_t state) { return state & kSixteenBits; }
uint64_t tasks(uint64_t state) { return state >> kTasksShift & kSixteenBits; }

void pause() {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

}  // namespace

TaskTeam::~TaskTeam() {
  over_.store(true, std::memory_order_relaxed);
  calls_.fetch_add(1, std::memory_order_release);
  calls_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

bool TaskTeam::has_tasks() const {
  const uint64_t state = state_.load(std::memory_order_relaxed);
  return begun(state) < tasks(state);
}

void TaskTeam::share(const Job& job, size_t count) {
  if (threads_.empty()) {
    threads_.reserve(size_ - 1);
    for (size_t member = 1; member < size_; ++member) {
      threads_.emplace_back([this, member] { help(member); });
    }
  }
  job_.store(&job, std::memory_order_relaxed);
  done_.store(0, std::memory_order_relaxed);
  const uint64_t number = (state_.load(std::memory_order_relaxed) >> kJobShift) + 1;
  state_.store(number << kJobShift | static_cast<uint64_t>(count) << kTasksShift,
               std::memory_order_release);
  calls_.fetch_add(1, std::memory_order_release);
  calls_.notify_all();
  do_tasks(0);
  for (int look = 0; done_.load(std::memory_order_acquire) != count; ++look) {
    if (look < kLooks) {
      pause();
    } else {
      std::this_thread::yield();  // to the helper who has begun, if it has no processor
    }
  }
}

void TaskTeam::do_tasks(size_t member) {
  while (has_tasks()) {
    const uint64_t state = state_.fetch_add(1, std::memory_order_acquire);
    if (begun(state) >= tasks(state)) return;
    const Job& job = *job_.load(std::memory_order_relaxed);
    job.call(job.work, begun(state), member);
    done_.fetch_add(1, std::memory_order_release);
  }
}

void TaskTeam::help(size_t member) {
  for (int look = 0;; ++look) {
    const uint32_t calls = calls_.load(std::memory_order_acquire);
    if (over_.load(std::memory_order_relaxed)) return;
    if (has_tasks()) {
      do_tasks(member);
      look = 0;
    } else if (look < kLooks) {
      pause();
    } else {
      calls_.wait(calls, std::memory_order_acquire);
      look = 0;
    }
  }
}

}  // namespace whisper_s4y
