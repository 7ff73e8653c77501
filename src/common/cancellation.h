// How the caller stops what takes long.
#pragma once

#include <chrono>
#include <exception>
#include <functional>
#include <utility>

#include "common/fail.h"

namespace whisper_s4y {

/// What ends work that the caller asked to stop.
class Cancelled : public Error {
 public:
  Cancelled() : Error(ErrorCode::cancelled, "The caller asked to stop.") {}
};

/// Asks the caller whether to stop, no more often than makes sense, and no more once it said so.
/// Not thread-safe: those who compute in other threads are told by the one that asks.
class Cancellation {
 public:
  /// How often the caller is asked at most, and how soon at least while something computes.
  static constexpr std::chrono::milliseconds kInterval{10};

  /// `ask` may be empty: then nothing is ever stopped.
  explicit Cancellation(std::function<bool()> ask) : ask_(std::move(ask)) {}
  Cancellation(const Cancellation&) = delete;
  Cancellation& operator=(const Cancellation&) = delete;

  /// True once the caller wants to stop, or threw when asked.
  [[nodiscard]] bool requested() noexcept;
  /// The same, and asks in any case.
  [[nodiscard]] bool requested_now() noexcept;

  /// Whether it was, without asking.
  [[nodiscard]] bool was_requested() const { return requested_; }
  /// Throws what the caller threw when asked, if anything.
  void rethrow() const {
    if (thrown_) std::rethrow_exception(thrown_);
  }

  /// Throws Cancelled, or what the caller threw when asked, if either is so.
  void check() {
    if (requested()) stop();
  }
  /// Throws what requested() was true for.
  [[noreturn]] void stop();

 private:
  using Clock = std::chrono::steady_clock;

  std::function<bool()> ask_;
  Clock::time_point next_{};  // when the caller may be asked again
  bool requested_ = false;
  std::exception_ptr thrown_;
};

/// While it lives, stop_point() in this thread asks the caller: for work that lies deep below who
/// knows of the caller, like reading and quantising the numbers of a checkpoint.
class StopPoints {
 public:
  explicit StopPoints(Cancellation& cancellation)
      : outer_(std::exchange(current(), &cancellation)) {}
  ~StopPoints() { current() = outer_; }
  StopPoints(const StopPoints&) = delete;
  StopPoints& operator=(const StopPoints&) = delete;

  /// The one that is asked in this thread, or null.
  [[nodiscard]] static Cancellation*& current();

 private:
  Cancellation* outer_;
};

/// Throws as Cancellation::check() does. Belongs where no more than some milliseconds pass between
/// two of them.
inline void stop_point() {
  if (Cancellation* asked = StopPoints::current()) asked->check();
}

}  // namespace whisper_s4y
