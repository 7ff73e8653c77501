#include "server/connections.h"

#include <Poco/Exception.h>
#include <Poco/Net/SocketAddress.h>

#include <algorithm>
#include <string_view>
#include <utility>

namespace whisper_s4y::server {
namespace {

constexpr std::string_view kTooMany =
    "HTTP/1.1 503 Service Unavailable\r\n"
    "Content-Type: application/json\r\n"
    "Retry-After: 1\r\n"
    "Connection: close\r\n"
    "Content-Length: 115\r\n"
    "\r\n"
    R"({"error":{"message":"The server has too many connections.","type":"server_error","param":null,"code":"overloaded"}})";

}  // namespace

Connections::Connections(int most, Seconds header_time, Seconds idle_time)
    : most_(most), header_time_(header_time), idle_time_(idle_time) {}

bool Connections::accept(const Poco::Net::StreamSocket& socket) {
  const std::lock_guard lock(mutex_);
  Poco::Net::StreamSocket client(socket);
  if (static_cast<int>(entries_.size()) >= most_) forget_closed();
  if (static_cast<int>(entries_.size()) >= most_) {
    try {
      client.setBlocking(false);
      client.sendBytes(kTooMany.data(), static_cast<int>(kTooMany.size()));
    } catch (const Poco::Exception&) {
      return false;  // it need not know
    }
    return false;
  }
  const auto deadline = Clock::now() + std::chrono::duration_cast<Clock::duration>(header_time_);
  try {
    entries_.insert_or_assign(client.peerAddress().toString(), Entry{client, deadline});
  } catch (const Poco::Exception&) {
    return false;  // it has hung up already
  }
  return true;
}

void Connections::begin_request(const Poco::Net::SocketAddress& client) {
  const std::lock_guard lock(mutex_);
  const auto entry = entries_.find(client.toString());
  if (entry != entries_.end()) entry->second.deadline = Clock::time_point::max();
}

void Connections::end_request(const Poco::Net::SocketAddress& client) {
  const std::lock_guard lock(mutex_);
  const auto entry = entries_.find(client.toString());
  if (entry == entries_.end()) return;
  entry->second.deadline =
      Clock::now() + std::chrono::duration_cast<Clock::duration>(idle_time_ + header_time_);
}

void Connections::sweep() {
  const std::lock_guard lock(mutex_);
  forget_closed();
  for (auto& [client, entry] : entries_) {
    if (Clock::now() > entry.deadline) cut(entry.socket);
  }
}

void Connections::cut_all() {
  const std::lock_guard lock(mutex_);
  for (auto& [client, entry] : entries_) cut(entry.socket);
}

int Connections::count() {
  const std::lock_guard lock(mutex_);
  forget_closed();
  return static_cast<int>(entries_.size());
}

// The server's thread closes the socket that the entry shares.
void Connections::forget_closed() {
  std::erase_if(entries_,
                [](const auto& entry) { return !entry.second.socket.impl()->initialized(); });
}

void Connections::cut(Poco::Net::StreamSocket& socket) {
  try {
    socket.shutdown();
  } catch (const Poco::Exception&) {
    return;  // it is closed
  }
}

}  // namespace whisper_s4y::server
