#include "runtime/background.h"

#include <chrono>
#include <exception>
#include <future>
#include <mutex>
#include <utility>
#include <vector>

namespace whisper_s4y {

void destroy_in_background(std::shared_ptr<void> state) noexcept {
  static std::mutex mutex;
  static std::vector<std::future<void>>
      threads;  // going away, they wait, as those of std::async do
  try {
    const std::lock_guard lock(mutex);
    std::erase_if(threads, [](const std::future<void>& thread) {
      return thread.wait_for(std::chrono::seconds::zero()) == std::future_status::ready;
    });
    threads.push_back(
        std::async(std::launch::async, [state = std::move(state)]() mutable { state.reset(); }));
  } catch (const std::exception&) {
    return;  // there can be no more threads: it has gone
  }
}

}  // namespace whisper_s4y
