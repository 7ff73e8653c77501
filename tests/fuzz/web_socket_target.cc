// Frames of a WebSocket, over a connection as the server has it.
#include <Poco/Net/HTTPServerParams.h>
#include <Poco/Net/HTTPServerRequestImpl.h>
#include <Poco/Net/HTTPServerResponseImpl.h>
#include <Poco/Net/HTTPServerSession.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/Net/StreamSocket.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "fuzz/harness.h"
#include "server/api_error.h"
#include "server/web_socket.h"

namespace whisper_s4y {
namespace {

namespace net = Poco::Net;

constexpr std::string_view kHandshake =
    "GET /v1/realtime HTTP/1.1\r\n"
    "Host: localhost\r\n"
    "Connection: Upgrade\r\n"
    "Upgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

constexpr int kMostMessage = 20'000;  // bytes
// So much lies in the buffers of the connection while nobody reads.
constexpr size_t kMostSent = 60'000;

/// Both ends of a connection. They are cut off: one that is closed in peace waits for minutes, and
/// the ports would run out.
struct Connection {
  Connection() : client(net::SocketAddress(listener().address())) {
    server = listener().acceptConnection();
    for (net::StreamSocket* socket : {&client, &server}) socket->setLinger(true, 0);
  }

  static net::ServerSocket& listener() {
    static net::ServerSocket socket(net::SocketAddress("127.0.0.1", 0));
    return socket;
  }

  net::StreamSocket client;
  net::StreamSocket server;
};

}  // namespace

void take_web_socket_frames(std::span<const std::byte> bytes) {
  const std::span<const std::byte> sent = bytes.first(std::min(bytes.size(), kMostSent));
  Connection connection;
  connection.client.sendBytes(kHandshake.data(), static_cast<int>(kHandshake.size()));
  connection.client.sendBytes(sent.data(), static_cast<int>(sent.size()));
  connection.client.shutdownSend();
  net::HTTPServerParams::Ptr params = new net::HTTPServerParams;
  net::HTTPServerSession session(connection.server, params);
  net::HTTPServerResponseImpl response(session);
  net::HTTPServerRequestImpl request(response, session, params.get());
  server::MessageSocket socket(net::WebSocket(request, response), kMostMessage,
                               std::chrono::seconds(5), std::chrono::seconds(5));
  try {
    // Every frame is there: it ends with the connection, if not before.
    for (;;) {
      const auto message = socket.receive(std::chrono::milliseconds(100));
      if (message && message->data.size() > kMostMessage) std::abort();
    }
  } catch (const server::WebSocketClosed& closed) {
    if (closed.code() < 1000 || closed.code() > 4999) std::abort();
  } catch (const server::ClientGone&) {
    return;
  }
}

}  // namespace whisper_s4y
