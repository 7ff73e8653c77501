#include "server/wyoming_server.h"

#include <Poco/Exception.h>
#include <Poco/Net/StreamSocket.h>
#include <Poco/Net/TCPServer.h>
#include <Poco/Net/TCPServerConnection.h>
#include <Poco/Net/TCPServerConnectionFactory.h>
#include <Poco/ThreadPool.h>
#include <Poco/Timespan.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <string>

#include "server/listen_at.h"
#include "server/sockets.h"
#include "server/wyoming_session.h"

namespace whisper_s4y::server {
namespace {

namespace net = Poco::Net;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kLook{50};
constexpr std::chrono::milliseconds kLookAtClient{10};
constexpr std::chrono::minutes kIdle{5};  // between two utterances
constexpr int kSendTimeout = 20;          // seconds
constexpr int kMoreThreads = 8;           // for those who are told that there is no place

class Connection : public net::TCPServerConnection {
 public:
  Connection(const net::StreamSocket& socket, Services& services, std::atomic<int>& active)
      : TCPServerConnection(socket), services_(services), active_(active) {}

  void run() override {
    ++active_;
    try {
      serve();
    } catch (const ClientGone&) {
      // it is over
    } catch (const Poco::Exception&) {
      // of the connection
    } catch (const std::exception& error) {
      services_.log.write("error", error.what());
    }
    --active_;
  }

 private:
  void serve() {
    socket().setSendTimeout(Poco::Timespan(kSendTimeout, 0));
    socket().setNoDelay(true);
    try {
      WyomingSession session(
          services_, socket().peerAddress().host().toString(), [this] { check(); },
          [this](const WyomingEvent& event) { send(event); });
      while (receive(session)) {
        while (const std::optional<WyomingEvent> event = parser_.next()) session.take(*event);
      }
    } catch (const WyomingProtocolError& error) {
      refuse(error.what(), "protocol_error");
    } catch (const ApiError& error) {
      refuse(error.what(), error.code());
    }
  }

  /// Waits for bytes; false when the connection is over.
  bool receive(const WyomingSession& session) {
    const bool is_within = session.is_listening() || parser_.is_within_event();
    const Clock::duration most =
        is_within ? std::chrono::duration_cast<Clock::duration>(
                        std::chrono::duration<double>(services_.options.read_timeout))
                  : Clock::duration(kIdle);
    const Clock::time_point end = Clock::now() + most;
    while (!socket().poll(Poco::Timespan(std::chrono::microseconds(kLook).count()),
                          net::Socket::SELECT_READ)) {
      if (services_.stopping || (!services_.queue.is_open() && !is_within)) return false;
      if (Clock::now() > end) return false;
    }
    const int got = socket().receiveBytes(bytes_.data(), static_cast<int>(bytes_.size()));
    if (got <= 0) return false;
    parser_.add({bytes_.data(), static_cast<size_t>(got)});
    return true;
  }

  void send(const WyomingEvent& event) {
    const std::string bytes = serialize(event);
    try {
      socket().sendBytes(bytes.data(), static_cast<int>(bytes.size()));
    } catch (const Poco::Exception&) {
      throw ClientGone();
    }
  }

  void refuse(const char* text, const std::string& code) {
    send({.type = "error", .data = {{"text", text}, {"code", code}}, .payload = {}});
    linger(socket().impl()->sockfd());
  }

  void check() {
    if (services_.stopping) {
      throw ApiError(503, "The server is shutting down; try again soon.");
    }
    if (Clock::now() < next_look_) return;
    next_look_ = Clock::now() + kLookAtClient;
    if (is_hung_up(socket().impl()->sockfd())) throw ClientGone();
  }

  Services& services_;
  std::atomic<int>& active_;
  WyomingParser parser_;
  std::array<char, 1 << 16> bytes_{};
  Clock::time_point next_look_{};
};

class Factory : public net::TCPServerConnectionFactory {
 public:
  Factory(Services& services, std::atomic<int>& active) : services_(services), active_(active) {}

  net::TCPServerConnection* createConnection(const net::StreamSocket& socket) override {
    return new Connection(socket, services_, active_);
  }

 private:
  Services& services_;
  std::atomic<int>& active_;
};

net::TCPServerParams::Ptr parameters(const ServeOptions& options) {
  net::TCPServerParams::Ptr params = new net::TCPServerParams;
  params->setMaxThreads(options.max_sessions + kMoreThreads);
  params->setMaxQueued(options.max_sessions + kMoreThreads);
  return params;
}

}  // namespace

struct WyomingServer::Impl {
  explicit Impl(Services& services)
      : threads(2, services.options.max_sessions + kMoreThreads + 1),
        socket(listen_at(services.options.host, services.options.wyoming_port)),
        server(new Factory(services, active), threads, socket, parameters(services.options)) {}

  std::atomic<int> active = 0;
  Poco::ThreadPool threads;
  net::ServerSocket socket;
  net::TCPServer server;
};

WyomingServer::WyomingServer(Services& services) : impl_(std::make_unique<Impl>(services)) {
  impl_->server.start();
}

WyomingServer::~WyomingServer() { stop(); }

void WyomingServer::stop_accepting() {
  impl_->server.stop();
  impl_->socket.close();
}

int WyomingServer::active() const { return impl_->active; }

void WyomingServer::stop() {
  impl_->server.stop();
  impl_->threads.joinAll();
}

}  // namespace whisper_s4y::server
