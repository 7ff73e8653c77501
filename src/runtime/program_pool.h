// Signatures that LiteRT has made ready to run, lent to one user at a time.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/cancellation.h"

class LiteRtCompiledModelT;
class LiteRtProfilerT;

namespace whisper_s4y {

/// Some signatures of a model with all that they compute in, but for inputs and outputs.
class Program {
 public:
  /// Takes the handle over. Throws Error when LiteRT refuses.
  Program(LiteRtCompiledModelT* handle, bool profile);
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  [[nodiscard]] LiteRtCompiledModelT* handle() const { return handle_.get(); }
  /// Asked between two ops of a run, which ends when it says true; must not throw. Null: no one.
  void ask(const std::function<bool()>* stop) { stop_ = stop; }

  [[nodiscard]] bool fully_accelerated() const;
  /// Times per op since the last call; empty without profile.
  [[nodiscard]] std::string profile_summary();

 private:
  struct Destroy {
    void operator()(LiteRtCompiledModelT* handle) const;
  };
  std::unique_ptr<LiteRtCompiledModelT, Destroy> handle_;
  LiteRtProfilerT* profiler_ = nullptr;
  const std::function<bool()>* stop_ = nullptr;
};

/// Programs of the same signatures and number of threads, no more than can run at once.
/// Thread-safe.
class ProgramPool {
 public:
  using Make = std::function<std::unique_ptr<Program>()>;
  using Clock = std::chrono::steady_clock;

  /// A program that nobody else uses; goes back when this goes.
  class Lease {
   public:
    Lease(ProgramPool& pool, std::unique_ptr<Program> program)
        : pool_(&pool), program_(std::move(program)) {}
    ~Lease() {
      if (program_) pool_->give_back(std::move(program_));
    }
    Lease(Lease&&) noexcept = default;
    Lease& operator=(Lease&&) = delete;

    [[nodiscard]] Program& operator*() const { return *program_; }
    [[nodiscard]] Program* operator->() const { return program_.get(); }

   private:
    ProgramPool* pool_;
    std::unique_ptr<Program> program_;
  };

  /// At most `most` are made, each when there is none left to lend.
  ProgramPool(Make make, size_t most) : make_(std::move(make)), most_(most) {}

  /// Makes one if there is none yet, and throws what that throws.
  void prepare();

  /// Waits for one that is free. Throws Cancelled, see Cancellation, and what making one throws.
  [[nodiscard]] Lease take(Cancellation* cancellation = nullptr);

  /// Takes out those that nobody has used since then.
  [[nodiscard]] std::vector<std::unique_ptr<Program>> take_unused_since(Clock::time_point time);
  /// When one was used last; nothing when there is none.
  [[nodiscard]] std::optional<Clock::time_point> last_used() const;

  /// Programs that nobody uses at the moment; for profile_summary().
  void for_each_idle(const std::function<void(Program&)>& visit);

 private:
  void give_back(std::unique_ptr<Program> program);

  struct Idle {
    std::unique_ptr<Program> program;
    Clock::time_point since;
  };

  Make make_;
  size_t most_;
  mutable std::mutex mutex_;  // of what follows
  std::condition_variable freed_;
  size_t made_ = 0;
  std::vector<Idle> idle_;  // the one that was used last is the last
};

}  // namespace whisper_s4y
