// A WebSocket (RFC 6455) as a row of messages.
#pragma once

#include <Poco/Buffer.h>
#include <Poco/Net/WebSocket.h>

#include <chrono>
#include <cstdint>
#include <exception>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace whisper_s4y::server {

/// Why a connection is closed (RFC 6455 7.4.1).
enum class CloseCode : uint16_t {
  normal = 1000,
  going_away = 1001,
  protocol_error = 1002,
  too_big = 1009,
  internal_error = 1011,
};

/// What the peer has done wrong, or that it wants to end.
class WebSocketClosed : public std::exception {
 public:
  WebSocketClosed(uint16_t code, std::string reason) : code_(code), reason_(std::move(reason)) {}

  /// With which the close is answered.
  [[nodiscard]] uint16_t code() const { return code_; }
  [[nodiscard]] const char* what() const noexcept override { return reason_.c_str(); }

 private:
  uint16_t code_;
  std::string reason_;
};

struct WebSocketMessage {
  bool is_text = true;
  std::string data;
};

/// One thread receives, any may send.
class MessageSocket {
 public:
  /// `most` bytes a message. More of a frame must come within `read_timeout`, and something in
  /// `idle_time`: an answer to a ping at least.
  MessageSocket(const Poco::Net::WebSocket& socket, int most,
                std::chrono::duration<double> read_timeout,
                std::chrono::duration<double> idle_time);
  ~MessageSocket();
  MessageSocket(const MessageSocket&) = delete;
  MessageSocket& operator=(const MessageSocket&) = delete;

  /// The next message, or nothing when none is complete after `wait`. Pings are answered meanwhile.
  /// Throws WebSocketClosed when the peer ends it or keeps no rule, ClientGone when it has hung up.
  [[nodiscard]] std::optional<WebSocketMessage> receive(std::chrono::milliseconds wait);

  /// Throws ClientGone when the peer takes it not.
  void send(std::string_view text);
  /// Sends the last frame, and waits a moment for the peer to hang up. Never throws.
  void close(uint16_t code, std::string_view reason) noexcept;

  /// Whether the peer has hung up, be there bytes of it or not.
  [[nodiscard]] bool is_peer_gone();
  [[nodiscard]] int64_t bytes_received() const { return bytes_; }

 private:
  using Clock = std::chrono::steady_clock;

  void take_frame();
  void take_control(int opcode);
  void take_data(int opcode, bool is_last);
  void check_mask();
  void ping_if_silent();
  void send_frame(std::string_view data, int flags);

  Poco::Net::WebSocket socket_;
  const int most_;
  const Clock::duration idle_time_;
  Clock::time_point last_heard_ = Clock::now();
  bool has_pinged_ = false;   // since then
  Poco::Buffer<char> frame_;  // the last one
  std::optional<WebSocketMessage> unfinished_;
  std::optional<WebSocketMessage> complete_;
  int64_t bytes_ = 0;
  std::mutex sending_;
  bool is_closed_ = false;  // by us; under `sending_`
};

}  // namespace whisper_s4y::server
