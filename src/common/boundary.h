// The edge of the library: what leaves a public function.
#pragma once

#include <cerrno>
#include <exception>
#include <functional>
#include <utility>

namespace whisper_s4y {

/// What a callback of the caller's has thrown, on its way out.
struct CallbackFailure {
  std::exception_ptr exception;
};

/// A callback whose exceptions leave the library as they are; empty when `callback` is, which
/// outlives it.
template <typename Result, typename... Args>
std::function<Result(Args...)> guarded(const std::function<Result(Args...)>& callback) {
  if (!callback) return {};
  return [&callback](Args... args) -> Result {
    try {
      return callback(std::forward<Args>(args)...);
    } catch (const CallbackFailure&) {
      throw;  // of a public function's callback, passed on to another public function
    } catch (...) {
      throw CallbackFailure{std::current_exception()};
    }
  };
}

/// Throws the current exception as what a caller is promised: anything but an Error becomes one,
/// and at the outermost public function what a callback has thrown is itself again.
[[noreturn]] void rethrow_as_error(bool outermost = true);

namespace boundary_detail {

/// Counts the public functions that the thread is in, and leaves errno as it was.
class Depth {
 public:
  Depth() { ++depth(); }
  ~Depth() {
    --depth();
    errno = errno_;
  }
  Depth(const Depth&) = delete;
  Depth& operator=(const Depth&) = delete;
  [[nodiscard]] static bool is_outermost() { return depth() == 1; }

 private:
  static int& depth();

  int errno_ = errno;
};

}  // namespace boundary_detail

/// The body of a public function. Everything that goes wrong in it leaves as Error; what a callback
/// has thrown leaves as it is.
template <typename Body>
decltype(auto) with_errors(Body&& body) {
  const boundary_detail::Depth depth;
  try {
    return std::forward<Body>(body)();
  } catch (...) {
    rethrow_as_error(boundary_detail::Depth::is_outermost());
  }
}

}  // namespace whisper_s4y
