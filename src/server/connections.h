// The connections that are open: how many there may be, and how long they may be silent.
#pragma once

#include <Poco/Net/StreamSocket.h>
#include <Poco/Net/TCPServer.h>

#include <chrono>
#include <map>
#include <mutex>
#include <string>

namespace whisper_s4y::server {

/// A thread serves each connection; one that sends its header a byte at a time, or none, would hold
/// it for ever. Thread-safe.
class Connections : public Poco::Net::TCPServerConnectionFilter {
 public:
  using Seconds = std::chrono::duration<double>;

  /// `most` at a time; `header_time` for a header to come, `idle_time` between two requests.
  Connections(int most, Seconds header_time, Seconds idle_time);

  /// Tells a client that there are too many (503).
  bool accept(const Poco::Net::StreamSocket& socket) override;

  /// A request's header has come, and its answer is complete.
  void begin_request(const Poco::Net::SocketAddress& client);
  void end_request(const Poco::Net::SocketAddress& client);

  /// Cuts those off that were silent too long.
  void sweep();
  /// Cuts all off.
  void cut_all();
  [[nodiscard]] int count();

 private:
  using Clock = std::chrono::steady_clock;
  struct Entry {
    Poco::Net::StreamSocket socket;
    Clock::time_point deadline;
  };

  void forget_closed();
  static void cut(Poco::Net::StreamSocket& socket);

  const int most_;
  const Seconds header_time_;
  const Seconds idle_time_;
  std::mutex mutex_;                      // of what follows
  std::map<std::string, Entry> entries_;  // by the client's address
};

}  // namespace whisper_s4y::server
