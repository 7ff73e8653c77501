#include "server/listen_at.h"

#include <Poco/Exception.h>
#include <Poco/Net/SocketAddress.h>

#include "common/fail.h"

namespace whisper_s4y::server {

Poco::Net::ServerSocket listen_at(const std::string& host, int port) {
  constexpr int kBacklog = 256;
  try {
    const Poco::Net::SocketAddress address(host, static_cast<Poco::UInt16>(port));
    Poco::Net::ServerSocket socket;
    // Not the port: a second server would take half of the connections.
    socket.bind(address, /*reuseAddress=*/true, /*reusePort=*/false);
    socket.listen(kBacklog);
    return socket;
  } catch (const Poco::Exception& error) {
    fail(ErrorCode::io, "Cannot listen at {} port {}: {}.", host, port,
         error.message().empty() ? error.displayText() : error.message());
  }
}

}  // namespace whisper_s4y::server
