#include "server/work_queue.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

#include "server/api_error.h"

namespace whisper_s4y::server {
namespace {

// How often who waits looks whether its client is still there.
constexpr std::chrono::milliseconds kLook{20};
// What a turn is taken to last before there was one.
constexpr double kFirstGuess = 1.0;
// What the newest turn counts for the mean.
constexpr double kNewest = 0.2;
constexpr int kRetryWhenClosed = 5;  // seconds: another server will be there

ApiError closed() {
  return ApiError(503, "The server is shutting down; try again soon.")
      .retry_after(kRetryWhenClosed);
}

}  // namespace

WorkQueue::WorkQueue(int workers, int threads, int most_waiting)
    : workers_(workers), threads_(threads), most_admitted_(workers + most_waiting) {}

WorkQueue::Ticket::Ticket(Ticket&& other) noexcept : queue_(std::exchange(other.queue_, nullptr)) {}

WorkQueue::Ticket::~Ticket() {
  if (queue_ != nullptr) queue_->end_ticket();
}

WorkQueue::Turn::Turn(WorkQueue& queue, int threads)
    : queue_(&queue), threads_(threads), begin_(std::chrono::steady_clock::now()) {}

WorkQueue::Turn::Turn(Turn&& other) noexcept
    : queue_(std::exchange(other.queue_, nullptr)),
      threads_(other.threads_),
      begin_(other.begin_) {}

WorkQueue::Turn::~Turn() {
  if (queue_ == nullptr) return;
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin_;
  queue_->end_turn(taken.count());
}

WorkQueue::Ticket WorkQueue::admit() {
  const std::lock_guard lock(mutex_);
  check_room_locked();
  ++admitted_;
  return Ticket(*this);
}

void WorkQueue::check_room() const {
  const std::lock_guard lock(mutex_);
  check_room_locked();
}

void WorkQueue::check_room_locked() const {
  if (closed_) throw closed();
  if (admitted_ >= most_admitted_) {
    const double wait = estimated_wait_locked();
    throw ApiError(429,
                   fmt::format("The server is busy: {} requests are before this one, about {:.0f} "
                               "s of work. Try again then.",
                               admitted_, std::ceil(wait)),
                   {}, "rate_limit_exceeded")
        .retry_after(std::max(1, static_cast<int>(std::ceil(wait))));
  }
}

WorkQueue::Turn WorkQueue::wait(const std::function<void()>& check) {
  std::unique_lock lock(mutex_);
  const uint64_t mine = next_++;
  const auto place = waiting_.insert(waiting_.end(), mine);
  try {
    while (!closed_ && (busy_ >= workers_ || waiting_.front() != mine)) {
      changed_.wait_for(lock, kLook);
      lock.unlock();
      check();
      lock.lock();
    }
    if (closed_) throw server::closed();
  } catch (...) {
    if (!lock.owns_lock()) lock.lock();
    waiting_.erase(place);
    changed_.notify_all();
    throw;
  }
  waiting_.erase(place);
  const int threads = threads_of_next();
  ++busy_;
  changed_.notify_all();
  return {*this, threads};
}

// One request alone has all threads; the more there are, the fewer each has, which computes more in
// all. Powers of two, so that few programs are made.
int WorkQueue::threads_of_next() const {
  const int others = busy_ + static_cast<int>(waiting_.size());
  const int share = threads_ / std::min(workers_, 1 + others);
  return std::max(
      1, share == threads_
             ? threads_
             : static_cast<int>(std::bit_floor(static_cast<unsigned>(std::max(share, 1)))));
}

void WorkQueue::end_turn(double seconds) {
  const std::lock_guard lock(mutex_);
  --busy_;
  mean_seconds_ = mean_seconds_ == 0 ? seconds : (1 - kNewest) * mean_seconds_ + kNewest * seconds;
  changed_.notify_all();
}

void WorkQueue::end_ticket() {
  const std::lock_guard lock(mutex_);
  --admitted_;
}

void WorkQueue::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  changed_.notify_all();
}

bool WorkQueue::is_open() const {
  const std::lock_guard lock(mutex_);
  return !closed_;
}

int WorkQueue::busy() const {
  const std::lock_guard lock(mutex_);
  return busy_;
}

int WorkQueue::waiting() const {
  const std::lock_guard lock(mutex_);
  return static_cast<int>(waiting_.size());
}

double WorkQueue::estimated_wait() const {
  const std::lock_guard lock(mutex_);
  return estimated_wait_locked();
}

double WorkQueue::estimated_wait_locked() const {
  if (busy_ < workers_ && waiting_.empty()) return 0;
  const double turn = mean_seconds_ == 0 ? kFirstGuess : mean_seconds_;
  return turn * static_cast<double>(waiting_.size() + 1) / workers_;
}

}  // namespace whisper_s4y::server
