#include "server/live_place.h"

#include <fmt/format.h>

#include <utility>

namespace whisper_s4y::server {
namespace {

constexpr int kRetrySeconds = 5;

}  // namespace

LivePlace::LivePlace(Services& services, std::string protocol)
    : services_(services), protocol_(std::move(protocol)) {
  if (++services_.sessions > services_.options.max_sessions) {
    --services_.sessions;
    throw ApiError(503,
                   fmt::format("The server has all {} sessions that it allows.",
                               services_.options.max_sessions),
                   {}, "too_many_sessions")
        .retry_after(kRetrySeconds);
  }
  services_.metrics.count_session(protocol_, 1);
}

LivePlace::~LivePlace() {
  --services_.sessions;
  services_.metrics.count_session(protocol_, -1);
}

}  // namespace whisper_s4y::server
