#include "server/sockets.h"

#include <poll.h>
#include <sys/socket.h>

#include <array>

namespace whisper_s4y::server {

bool is_hung_up(int descriptor) noexcept {
  pollfd look{.fd = descriptor, .events = POLLRDHUP, .revents = 0};
  return ::poll(&look, 1, 0) > 0 && (look.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

void linger(int descriptor, std::chrono::milliseconds time, int64_t most) noexcept {
  using Clock = std::chrono::steady_clock;
  if (descriptor < 0) return;
  ::shutdown(descriptor, SHUT_WR);
  const Clock::time_point end = Clock::now() + time;
  std::array<char, 1 << 15> waste{};
  while (most > 0) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()).count();
    pollfd look{.fd = descriptor, .events = POLLIN, .revents = 0};
    if (left <= 0 || ::poll(&look, 1, static_cast<int>(left)) <= 0) return;
    const ssize_t got = ::recv(descriptor, waste.data(), waste.size(), MSG_DONTWAIT);
    if (got <= 0) return;
    most -= got;
  }
}

Poco::Timespan timespan(std::chrono::duration<double> duration) {
  return {static_cast<Poco::Timespan::TimeDiff>(duration.count() * 1e6)};
}

}  // namespace whisper_s4y::server
