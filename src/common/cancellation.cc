#include "common/cancellation.h"

namespace whisper_s4y {

bool Cancellation::requested() noexcept {
  if (requested_ || !ask_) return requested_;
  if (Clock::now() < next_) return false;
  return requested_now();
}

bool Cancellation::requested_now() noexcept {
  if (requested_ || !ask_) return requested_;
  try {
    requested_ = ask_();
  } catch (...) {  // is thrown again by stop()
    thrown_ = std::current_exception();
    requested_ = true;
  }
  next_ = Clock::now() + kInterval;
  return requested_;
}

void Cancellation::stop() {
  rethrow();
  throw Cancelled();
}

Cancellation*& StopPoints::current() {
  thread_local Cancellation* current = nullptr;
  return current;
}

}  // namespace whisper_s4y
