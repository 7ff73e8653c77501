// Who may ask.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "server/exchange.h"
#include "server/serve_options.h"

namespace whisper_s4y::server {

/// Keys and web sites that are let in.
class Access {
 public:
  /// Reads the file with keys. Throws Error when it cannot be read or has none.
  explicit Access(const ServeOptions& options);

  /// Throws ApiError (401) unless the request carries a key, or none is needed.
  void check_key(Exchange& exchange) const;
  /// Sets what a browser wants to see before its page may read the answer.
  void allow_origin(Exchange& exchange) const;
  /// Throws ApiError (403) when a foreign web page opens a WebSocket, which browsers let it.
  void check_origin(Exchange& exchange) const;
  /// Answers OPTIONS about a path that can be asked for with `methods`.
  void answer_preflight(Exchange& exchange, const std::string& methods) const;

 private:
  [[nodiscard]] bool is_allowed(std::string_view origin) const;

  std::vector<std::string> keys_;
  std::vector<std::string> origins_;
};

/// The key in a request's headers Authorization or Sec-WebSocket-Protocol; empty: none.
[[nodiscard]] std::string given_key(std::string_view authorization, std::string_view subprotocols);

/// In a time that does not tell how much of the key was right.
[[nodiscard]] bool is_same_key(std::string_view given, std::string_view key);

}  // namespace whisper_s4y::server
