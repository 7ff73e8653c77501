// The Wyoming protocol's port, by which Home Assistant asks.
#pragma once

#include <memory>

#include "server/services.h"

namespace whisper_s4y::server {

/// Serves until it is stopped.
class WyomingServer {
 public:
  /// Listens at options.host and options.wyoming_port. Throws Error when it cannot.
  explicit WyomingServer(Services& services);
  ~WyomingServer();
  WyomingServer(const WyomingServer&) = delete;
  WyomingServer& operator=(const WyomingServer&) = delete;

  /// Takes no more connections; those that are open end after the utterance they are at.
  void stop_accepting();
  /// Connections.
  [[nodiscard]] int active() const;
  /// Waits for the end of what is left.
  void stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace whisper_s4y::server
