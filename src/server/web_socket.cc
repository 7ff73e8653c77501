#include "server/web_socket.h"

#include <Poco/Exception.h>
#include <Poco/Net/NetException.h>
#include <Poco/Timespan.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <utility>

#include "server/api_error.h"
#include "server/sockets.h"

namespace whisper_s4y::server {
namespace {

using Poco::Net::WebSocket;

// A peer that takes nothing of what it is sent for so long is gone.
constexpr int kSendTimeout = 20;             // seconds
constexpr size_t kMostControlPayload = 125;  // RFC 6455 5.5
constexpr int kReserved =
    WebSocket::FRAME_FLAG_RSV1 | WebSocket::FRAME_FLAG_RSV2 | WebSocket::FRAME_FLAG_RSV3;

constexpr int kPing = int{WebSocket::FRAME_FLAG_FIN} | int{WebSocket::FRAME_OP_PING};
constexpr int kPong = int{WebSocket::FRAME_FLAG_FIN} | int{WebSocket::FRAME_OP_PONG};

[[noreturn]] void refuse(CloseCode code, const char* reason) {
  throw WebSocketClosed(static_cast<uint16_t>(code), reason);
}

// RFC 6455 7.4: those that may be sent.
bool may_be_sent(int code) {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
         (code >= 3000 && code <= 4999);
}

}  // namespace

MessageSocket::MessageSocket(const WebSocket& socket, int most,
                             std::chrono::duration<double> read_timeout,
                             std::chrono::duration<double> idle_time)
    : socket_(socket),
      most_(most),
      idle_time_(std::chrono::duration_cast<Clock::duration>(idle_time)),
      frame_(0) {
  socket_.setReceiveTimeout(timespan(read_timeout));
  socket_.setSendTimeout(Poco::Timespan(kSendTimeout, 0));
  socket_.setMaxPayloadSize(most);
  socket_.setNoDelay(true);
}

// Others may know the connection, so that it does not close by itself.
MessageSocket::~MessageSocket() {
  try {
    socket_.close();
  } catch (const Poco::Exception&) {
    return;  // it was closed already
  }
}

std::optional<WebSocketMessage> MessageSocket::receive(std::chrono::milliseconds wait) {
  const Clock::time_point end = Clock::now() + wait;
  try {
    while (!complete_) {
      // What came together with the request lies in the library's buffer.
      const auto left =
          std::chrono::duration_cast<std::chrono::microseconds>(end - Clock::now()).count();
      const bool is_there =
          socket_.available() > 0 ||
          socket_.poll(Poco::Timespan(std::max<int64_t>(left, 0)), Poco::Net::Socket::SELECT_READ);
      if (is_there) {
        take_frame();
      } else {
        ping_if_silent();
      }
      if (Clock::now() >= end) break;
    }
  } catch (const Poco::Net::WebSocketException& error) {
    if (error.code() == WebSocket::WS_ERR_PAYLOAD_TOO_BIG) {
      refuse(CloseCode::too_big, "The message is too big.");
    }
    throw ClientGone();  // in the middle of a frame
  } catch (const Poco::TimeoutException&) {
    refuse(CloseCode::protocol_error, "The frame did not come to its end.");
  } catch (const Poco::Exception&) {
    throw ClientGone();
  }
  return std::exchange(complete_, std::nullopt);
}

void MessageSocket::take_frame() {
  check_mask();
  frame_.resize(0, false);
  int flags = 0;
  const int size = socket_.receiveFrame(frame_, flags);
  if (size <= 0 && flags == 0) throw ClientGone();
  bytes_ += size;
  last_heard_ = Clock::now();
  has_pinged_ = false;
  if ((flags & kReserved) != 0) refuse(CloseCode::protocol_error, "Reserved bits are set.");
  const int opcode = flags & WebSocket::FRAME_OP_BITMASK;
  const bool is_last = (flags & WebSocket::FRAME_FLAG_FIN) != 0;
  constexpr int kControl = 0x8;
  if ((opcode & kControl) == 0) {
    take_data(opcode, is_last);
    return;
  }
  if (!is_last || frame_.size() > kMostControlPayload) {
    refuse(CloseCode::protocol_error, "A control frame is short and whole.");
  }
  take_control(opcode);
}

// A client masks what it sends (RFC 6455 5.1). The library does not tell, but the header can be
// looked at as long as nothing of it was taken.
void MessageSocket::check_mask() {
  const int descriptor = socket_.impl()->sockfd();
  int in_socket = 0;
  constexpr int kHeader = 2;
  if (descriptor < 0 || ::ioctl(descriptor, FIONREAD, &in_socket) != 0 || in_socket < kHeader ||
      socket_.available() != in_socket) {
    return;
  }
  std::array<unsigned char, kHeader> header{};
  const ssize_t got = ::recv(descriptor, header.data(), header.size(), MSG_PEEK | MSG_DONTWAIT);
  constexpr unsigned kMask = 0x80;
  if (got == kHeader && (header[1] & kMask) == 0) {
    refuse(CloseCode::protocol_error, "A client's frames are masked.");
  }
}

void MessageSocket::take_data(int opcode, bool is_last) {
  if (opcode == WebSocket::FRAME_OP_CONT) {
    if (!unfinished_) refuse(CloseCode::protocol_error, "There is no message to go on with.");
    if (unfinished_->data.size() + frame_.size() > static_cast<size_t>(most_)) {
      refuse(CloseCode::too_big, "The message is too big.");
    }
  } else if (opcode == WebSocket::FRAME_OP_TEXT || opcode == WebSocket::FRAME_OP_BINARY) {
    if (unfinished_) refuse(CloseCode::protocol_error, "The message before is not complete.");
    unfinished_.emplace().is_text = opcode == WebSocket::FRAME_OP_TEXT;
  } else {
    refuse(CloseCode::protocol_error, "There is no such frame.");
  }
  unfinished_->data.append(frame_.begin(), frame_.size());
  if (is_last) complete_ = std::exchange(unfinished_, std::nullopt);
}

void MessageSocket::take_control(int opcode) {
  const std::string_view payload(frame_.begin(), frame_.size());
  switch (opcode) {
    case WebSocket::FRAME_OP_PING:
      send_frame(payload, kPong);
      return;
    case WebSocket::FRAME_OP_PONG:
      return;
    case WebSocket::FRAME_OP_CLOSE:
      break;
    default:
      refuse(CloseCode::protocol_error, "There is no such frame.");
  }
  if (payload.empty()) refuse(CloseCode::normal, "");
  constexpr size_t kCode = 2;
  const int code = payload.size() < kCode ? 0
                                          : static_cast<unsigned char>(payload[0]) << 8 |
                                                static_cast<unsigned char>(payload[1]);
  if (!may_be_sent(code)) refuse(CloseCode::protocol_error, "There is no such reason to close.");
  throw WebSocketClosed(static_cast<uint16_t>(code), "");
}

void MessageSocket::ping_if_silent() {
  const Clock::duration silent = Clock::now() - last_heard_;
  if (silent > idle_time_) refuse(CloseCode::going_away, "Nothing was heard for too long.");
  if (silent < idle_time_ / 2 || has_pinged_) return;
  has_pinged_ = true;
  send_frame("", kPing);
}

void MessageSocket::send_frame(std::string_view data, int flags) {
  const std::lock_guard lock(sending_);
  if (is_closed_) return;
  try {
    socket_.sendFrame(data.data(), static_cast<int>(data.size()), flags);
  } catch (const Poco::Exception&) {
    is_closed_ = true;
    throw ClientGone();
  }
}

void MessageSocket::send(std::string_view text) { send_frame(text, WebSocket::FRAME_TEXT); }

void MessageSocket::close(uint16_t code, std::string_view reason) noexcept {
  try {
    const std::lock_guard lock(sending_);
    if (std::exchange(is_closed_, true)) return;
    socket_.shutdown(code, std::string(reason.substr(0, kMostControlPayload - 2)));
    linger(socket_.impl()->sockfd());
  } catch (const std::exception&) {
    return;  // there is nobody to tell
  }
}

bool MessageSocket::is_peer_gone() { return is_hung_up(socket_.impl()->sockfd()); }

}  // namespace whisper_s4y::server
