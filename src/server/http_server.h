// HTTP: connections to exchanges, exchanges to routes, failures to answers.
#pragma once

#include <memory>
#include <string>

#include "server/access.h"
#include "server/services.h"

namespace whisper_s4y::server {

/// Serves until it is stopped.
class HttpServer {
 public:
  /// Listens at options.host and options.port. Throws Error when it cannot.
  HttpServer(Services& services, const Access& access);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  [[nodiscard]] int port() const;
  [[nodiscard]] int connections() const;
  /// To be called now and then: cuts off connections that are silent too long.
  void sweep();

  /// Takes no more connections; those that are open end after the request they are at.
  void stop_accepting();
  /// Requests that are being served.
  [[nodiscard]] int active_requests() const;
  /// Cuts off what is left and waits for its end.
  void stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace whisper_s4y::server
