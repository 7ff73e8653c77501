#include "server/linger.h"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <chrono>

namespace whisper_s4y::server {

void linger(int descriptor) noexcept {
  using Clock = std::chrono::steady_clock;
  constexpr std::chrono::seconds kMost{1};
  if (descriptor < 0) return;
  ::shutdown(descriptor, SHUT_WR);
  const Clock::time_point end = Clock::now() + kMost;
  std::array<char, 1 << 14> waste{};
  for (;;) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()).count();
    pollfd look{.fd = descriptor, .events = POLLIN, .revents = 0};
    if (left <= 0 || ::poll(&look, 1, static_cast<int>(left)) <= 0 ||
        ::recv(descriptor, waste.data(), waste.size(), MSG_DONTWAIT) <= 0) {
      return;
    }
  }
}

}  // namespace whisper_s4y::server
