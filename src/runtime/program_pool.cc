#include "runtime/program_pool.h"

#include <cstdlib>
#include <utility>

#include "runtime/litert_c.h"
#include "runtime/litert_library.h"
#include "runtime/litert_log.h"

namespace whisper_s4y {

using litert::check;

Program::Program(LiteRtCompiledModelT* handle, bool profile) : handle_(handle) {
  check(LiteRtSetCompiledModelCancellationFunction(handle, this,
                                                   [](void* data) {
                                                     const auto* stop =
                                                         static_cast<Program*>(data)->stop_;
                                                     return stop != nullptr && (*stop)();
                                                   }),
        "Cannot make LiteRT interruptible");
  if (!profile) return;
  check(LiteRtCompiledModelGetProfiler(handle, &profiler_), "Cannot profile");
  check(LiteRtStartProfiler(profiler_), "Cannot profile");
}

void Program::Destroy::operator()(LiteRtCompiledModelT* handle) const {
  const litert::LogCapture log;
  LiteRtDestroyCompiledModel(handle);
}

bool Program::fully_accelerated() const {
  bool accelerated = false;
  check(LiteRtCompiledModelIsFullyAccelerated(handle_.get(), &accelerated),
        "Cannot tell whether the model is accelerated");
  return accelerated;
}

std::string Program::profile_summary() {
  if (profiler_ == nullptr) return {};
  const char* text = nullptr;
  check(LiteRtStopProfiler(profiler_), "Cannot stop the profile");
  check(LiteRtGetProfileSummary(profiler_, handle_.get(), &text), "Cannot read the profile");
  const std::unique_ptr<char, decltype(&std::free)> owner(const_cast<char*>(text), &std::free);
  std::string summary = text == nullptr ? "" : text;
  check(LiteRtResetProfiler(profiler_), "Cannot restart the profile");
  check(LiteRtStartProfiler(profiler_), "Cannot restart the profile");
  return summary;
}

void ProgramPool::prepare() {
  {
    const std::lock_guard lock(mutex_);
    if (made_ > 0) return;
  }
  (void)take();
}

ProgramPool::Lease ProgramPool::take(Cancellation* cancellation) {
  std::unique_lock lock(mutex_);
  while (idle_.empty() && made_ == most_) {
    if (cancellation == nullptr) {
      freed_.wait(lock);
      continue;
    }
    freed_.wait_for(lock, Cancellation::kInterval);
    lock.unlock();  // the caller's callback may take its time
    cancellation->check();
    lock.lock();
  }
  if (!idle_.empty()) {
    Lease lease(*this, std::move(idle_.back().program));
    idle_.pop_back();
    return lease;
  }
  ++made_;
  lock.unlock();
  try {
    return {*this, make_()};
  } catch (...) {
    lock.lock();
    --made_;
    lock.unlock();
    freed_.notify_one();  // whoever waits may have more luck
    throw;
  }
}

void ProgramPool::give_back(std::unique_ptr<Program> program) {
  {
    const std::lock_guard lock(mutex_);
    idle_.push_back({std::move(program), Clock::now()});
  }
  freed_.notify_one();
}

std::vector<std::unique_ptr<Program>> ProgramPool::take_unused_since(Clock::time_point time) {
  const std::lock_guard lock(mutex_);
  std::vector<std::unique_ptr<Program>> taken;
  while (!idle_.empty() && idle_.front().since < time) {
    taken.push_back(std::move(idle_.front().program));
    idle_.erase(idle_.begin());
  }
  made_ -= taken.size();
  return taken;
}

std::optional<ProgramPool::Clock::time_point> ProgramPool::last_used() const {
  const std::lock_guard lock(mutex_);
  if (made_ == 0) return std::nullopt;
  return made_ > idle_.size() ? Clock::now() : idle_.back().since;
}

void ProgramPool::for_each_idle(const std::function<void(Program&)>& visit) {
  const std::lock_guard lock(mutex_);
  for (const Idle& idle : idle_) visit(*idle.program);
}

}  // namespace whisper_s4y
