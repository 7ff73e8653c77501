// The server as a whole.
//
//     server::Server server({.port = 8080}, {{"base", "whisper-base.tflite"}});
//     server.run([] { return caught_signal() != 0; });
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "server/model_store.h"
#include "server/serve_options.h"

namespace whisper_s4y::server {

class Server {
 public:
  /// Checks options, models and keys, and begins to listen; models are opened in the background.
  /// Throws Error.
  Server(ServeOptions options, const std::vector<ModelName>& models);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// The port of HTTP.
  [[nodiscard]] int port() const;

  /// Serves until `stop` is true, which is asked several times a second; then lets running requests
  /// finish, sends waiting ones away and returns. Throws Error when a model cannot be opened.
  void run(const std::function<bool()>& stop);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace whisper_s4y::server
