// Where a server waits for its clients.
#pragma once

#include <Poco/Net/ServerSocket.h>

#include <string>

namespace whisper_s4y::server {

/// Port 0 is any that is free. Throws Error when nothing can listen there.
[[nodiscard]] Poco::Net::ServerSocket listen_at(const std::string& host, int port);

}  // namespace whisper_s4y::server
