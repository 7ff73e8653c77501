// Threads that share out many short tasks.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

namespace whisper_s4y {

/// The caller of for_each() does tasks too, and waits only for those that a helper has begun: where
/// helpers are late, because other work has the processors, it does all of them. A step of a
/// decoder takes some microseconds, so helpers look for more for a while before they sleep. One
/// for_each() at a time.
class TaskTeam {
 public:
  /// Tasks of one for_each(), at most.
  static constexpr size_t kMostTasks = 0x8000;

  /// `size` >= 1 threads, the caller's included; the others start with the first tasks.
  explicit TaskTeam(size_t size) : size_(size) {}
  ~TaskTeam();
  TaskTeam(const TaskTeam&) = delete;
  TaskTeam& operator=(const TaskTeam&) = delete;

  [[nodiscard]] size_t size() const { return size_; }

  /// Calls work(task, member) for the tasks 0 to count - 1; member < size() is the thread that does
  /// it, 0 the caller's. The work must not throw.
  template <typename Work>
  void for_each(size_t count, const Work& work) {
    if (size_ == 1 || count < 2) {
      for (size_t task = 0; task < count; ++task) work(task, size_t{0});
      return;
    }
    share({.call = [](const void* self, size_t task,
                      size_t member) { (*static_cast<const Work*>(self))(task, member); },
           .work = &work},
          count);
  }

 private:
  struct Job {
    void (*call)(const void* work, size_t task, size_t member);
    const void* work;
  };

  void share(const Job& job, size_t count);
  /// Does tasks of the current job until there are none left.
  void do_tasks(size_t member);
  void help(size_t member);
  [[nodiscard]] bool has_tasks() const;

  size_t size_;
  // Number of the job, its tasks, and how many of them have been begun: together, so that who
  // takes a task knows of which job it is.
  std::atomic<uint64_t> state_ = 0;
  std::atomic<const Job*> job_ = nullptr;  // there for as long as one of its tasks is not done
  std::atomic<uint32_t> done_ = 0;         // tasks of the job
  std::atomic<uint32_t> calls_ = 0;        // what sleepers wait for
  std::atomic<bool> over_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace whisper_s4y
