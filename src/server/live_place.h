// How many speak at a time.
#pragma once

#include <string>

#include "server/services.h"

namespace whisper_s4y::server {

/// One of the sessions that are allowed, from its beginning to its end.
class LivePlace {
 public:
  /// Throws ApiError (503) when there are too many.
  LivePlace(Services& services, std::string protocol);
  ~LivePlace();
  LivePlace(const LivePlace&) = delete;
  LivePlace& operator=(const LivePlace&) = delete;

 private:
  Services& services_;
  std::string protocol_;
};

}  // namespace whisper_s4y::server
