// OpenAI's realtime transcription: the connection of a session.
//
// A session has two threads: that of its connection receives, so that pings are answered and a
// client that goes is noticed at once; the other one computes, and sends.
#include <fmt/format.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

#include "common/fail.h"
#include "server/live_place.h"
#include "server/realtime_session.h"
#include "server/routes.h"
#include "server/web_socket.h"

namespace whisper_s4y::server {
namespace {

constexpr std::chrono::milliseconds kLook{50};
constexpr std::chrono::milliseconds kLookWhenFull{10};
constexpr std::chrono::seconds kIdle{60};
// Messages that wait while something is computed; what comes then waits on its way.
constexpr size_t kMostWaiting = size_t{4} << 20;  // bytes

/// Messages between the two threads.
class Inbox {
 public:
  /// Waits until there is room, asking `check`, which throws to give up.
  void push(WebSocketMessage message, const std::function<void()>& check) {
    std::unique_lock lock(mutex_);
    while (!is_closed_ && bytes_ >= kMostWaiting) {
      changed_.wait_for(lock, kLookWhenFull);
      lock.unlock();
      check();
      lock.lock();
    }
    bytes_ += message.data.size();
    messages_.push_back(std::move(message));
    changed_.notify_all();
  }

  /// Waits for one; nothing once it is closed.
  std::optional<WebSocketMessage> pop() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return is_closed_ || !messages_.empty(); });
    if (is_closed_) return std::nullopt;
    WebSocketMessage message = std::move(messages_.front());
    messages_.pop_front();
    bytes_ -= message.data.size();
    changed_.notify_all();
    return message;
  }

  [[nodiscard]] bool is_empty() {
    const std::lock_guard lock(mutex_);
    return messages_.empty();
  }

  void close() {
    const std::lock_guard lock(mutex_);
    is_closed_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<WebSocketMessage> messages_;
  size_t bytes_ = 0;
  bool is_closed_ = false;
};

WebSocketClosed shutting_down() {
  return {static_cast<uint16_t>(CloseCode::going_away), "The server is shutting down."};
}

/// Both threads of a session.
class RealtimeConnection {
 public:
  RealtimeConnection(Exchange& exchange, Services& services, MessageSocket& socket,
                     RealtimeConfig config, SessionShape shape)
      : exchange_(exchange),
        services_(services),
        socket_(socket),
        session_(services, {.record = exchange.record(), .check = [this] { check(); }},
                 std::move(config), shape,
                 [this](const std::string& event) { socket_.send(event); }) {}

  void run() {
    std::thread worker([this] { work(); });
    uint16_t code = static_cast<uint16_t>(CloseCode::normal);
    std::string reason;
    try {
      receive();
    } catch (const WebSocketClosed& closed) {
      code = closed.code();
      reason = closed.what();
    } catch (const std::exception&) {
      is_client_gone_ = true;
    }
    must_end_ = true;
    inbox_.close();
    worker.join();
    RequestRecord& record = exchange_.record();
    record.bytes_in = socket_.bytes_received();
    if (!failure_.empty()) {  // a fault of ours
      code = static_cast<uint16_t>(CloseCode::internal_error);
      reason = "The server has failed.";
      record.error = failure_;
    } else if (!reason.empty() && code != static_cast<uint16_t>(CloseCode::normal)) {
      record.error = reason;
    }
    if (!is_client_gone_) socket_.close(code, reason);
  }

 private:
  void receive() {
    while (!has_worker_ended_) {
      if (!services_.queue.is_open()) throw shutting_down();
      std::optional<WebSocketMessage> message = socket_.receive(kLook);
      if (!message) continue;
      inbox_.push(std::move(*message), [this] {
        if (has_worker_ended_) throw ClientGone();
        if (!services_.queue.is_open()) throw shutting_down();
        if (socket_.is_peer_gone()) throw ClientGone();
      });
    }
  }

  void work() {
    try {
      session_.begin();
      while (const std::optional<WebSocketMessage> message = inbox_.pop()) {
        if (message->is_text) {
          session_.take(message->data);
        } else {
          session_.take_binary();
        }
        if (inbox_.is_empty()) session_.settle();
      }
    } catch (const ClientGone&) {
      is_client_gone_ = !must_end_;
    } catch (const ApiError& error) {  // the queue is closed
      if (services_.queue.is_open()) failure_ = error.what();
    } catch (const std::exception& error) {
      failure_ = error.what();
    }
    has_worker_ended_ = true;
  }

  void check() const {
    if (must_end_) throw ClientGone();
  }

  Exchange& exchange_;
  Services& services_;
  MessageSocket& socket_;
  Inbox inbox_;
  std::atomic<bool> must_end_ = false;
  std::atomic<bool> has_worker_ended_ = false;
  std::atomic<bool> is_client_gone_ = false;
  std::string failure_;  // of the worker; read when it has ended
  RealtimeSession session_;
};

}  // namespace

void handle_realtime(Exchange& exchange, Services& services) {
  services.access.check_origin(exchange);
  const std::string intent = exchange.query("intent");
  if (!intent.empty() && intent != "transcription") {
    throw ApiError(400, "This server transcribes: `intent` must be transcription.", "intent",
                   "unsupported_value");
  }
  RealtimeConfig config;
  config.model_name = exchange.query("model");
  config.model =
      config.model_name.empty() ? services.models.main() : services.models.find(config.model_name);
  if (config.model_name.empty()) config.model_name = config.model->name();
  const bool is_preview = exchange.header("OpenAI-Beta").find("realtime=v1") != std::string::npos;

  const LivePlace place(services, "realtime");
  MessageSocket socket(exchange.upgrade("realtime"), static_cast<int>(kMostEventBytes),
                       std::chrono::duration<double>(services.options.read_timeout), kIdle);
  exchange.record().protocol = "realtime";
  RealtimeConnection connection(exchange, services, socket, std::move(config),
                                is_preview ? SessionShape::flat : SessionShape::nested);
  connection.run();
}

}  // namespace whisper_s4y::server
