// Who computes when: a bounded queue in front of a few workers, first come, first served.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>

namespace whisper_s4y::server {

/// Requests are admitted when they arrive, up to a number; those that have all they need wait for
/// their turn to compute. Thread-safe.
class WorkQueue {
 public:
  /// `threads` are shared by up to `workers` turns at a time; `most_waiting` may be admitted beyond
  /// these.
  WorkQueue(int workers, int threads, int most_waiting);

  /// A place in the queue, from the arrival of a request to its answer.
  class Ticket {
   public:
    explicit Ticket(WorkQueue& queue) : queue_(&queue) {}
    ~Ticket();
    Ticket(Ticket&& other) noexcept;
    Ticket& operator=(Ticket&&) = delete;

   private:
    WorkQueue* queue_;
  };

  /// The right to compute.
  class Turn {
   public:
    Turn(WorkQueue& queue, int threads);
    ~Turn();
    Turn(Turn&& other) noexcept;
    Turn& operator=(Turn&&) = delete;

    /// Of the model, for this turn.
    [[nodiscard]] int threads() const { return threads_; }

   private:
    WorkQueue* queue_;
    int threads_;
    std::chrono::steady_clock::time_point begin_;
  };

  /// Throws ApiError (429, with the seconds to wait) when there are too many, and 503 when closed.
  [[nodiscard]] Ticket admit();
  /// The same without taking a place: uploads that come slowly hold none.
  void check_room() const;

  /// Waits for a turn, asking `check` now and then, which throws to give up. Throws ApiError (503)
  /// when the queue is closed meanwhile.
  [[nodiscard]] Turn wait(const std::function<void()>& check);

  /// From now on nobody is admitted, and who waits is sent away; turns go on.
  void close();

  [[nodiscard]] bool is_open() const;
  /// Turns that are taken, requests that wait for one, and how long a new request would wait, in
  /// seconds, by the turns of late.
  [[nodiscard]] int busy() const;
  [[nodiscard]] int waiting() const;
  [[nodiscard]] double estimated_wait() const;
  [[nodiscard]] int workers() const { return workers_; }

 private:
  [[nodiscard]] int threads_of_next() const;
  [[nodiscard]] double estimated_wait_locked() const;
  void check_room_locked() const;
  void end_turn(double seconds);
  void end_ticket();

  const int workers_;
  const int threads_;
  const int most_admitted_;
  mutable std::mutex mutex_;  // of what follows
  std::condition_variable changed_;
  std::list<uint64_t> waiting_;  // in their order
  uint64_t next_ = 0;
  int admitted_ = 0;
  int busy_ = 0;
  double mean_seconds_ = 0;  // of a turn, recent ones counting more; 0: there was none yet
  bool closed_ = false;
};

}  // namespace whisper_s4y::server
