#include "server/access.h"

#include <Poco/String.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "common/fail.h"
#include "common/utf8.h"

namespace whisper_s4y::server {
namespace {

std::vector<std::string> keys_of(const std::filesystem::path& file) {
  std::ifstream stream(file);
  if (!stream) {
    fail(ErrorCode::io, "Cannot read the keys {}: {}.", file.string(), std::strerror(errno));
  }
  std::vector<std::string> keys;
  for (std::string line; std::getline(stream, line);) {
    const std::string_view key = trimmed(line);
    if (!key.empty() && !key.starts_with('#')) keys.emplace_back(key);
  }
  if (stream.bad()) fail(ErrorCode::io, "Cannot read the keys {} to their end.", file.string());
  if (keys.empty()) {
    fail(ErrorCode::invalid_file, "{} has no key: a line each, # begins a comment.", file.string());
  }
  return keys;
}

}  // namespace

bool is_same_key(std::string_view given, std::string_view key) {
  unsigned difference = given.size() == key.size() ? 0U : 1U;
  for (size_t i = 0; i < given.size(); ++i) {
    const char expected = key.empty() ? '\0' : key[i % key.size()];
    difference |= static_cast<unsigned char>(given[i]) ^ static_cast<unsigned char>(expected);
  }
  return difference == 0;
}

std::string given_key(std::string_view authorization, std::string_view subprotocols) {
  constexpr std::string_view kScheme = "bearer ";  // in any letters
  if (Poco::toLower(std::string(authorization.substr(0, kScheme.size()))) == kScheme) {
    return std::string(authorization.substr(kScheme.size()));
  }
  // Pages cannot set headers of a WebSocket (openai-node, realtime/websocket.ts).
  constexpr std::string_view kPrefix = "openai-insecure-api-key.";
  while (!subprotocols.empty()) {
    const size_t comma = subprotocols.find(',');
    const std::string_view name = trimmed(subprotocols.substr(0, comma));
    if (name.starts_with(kPrefix)) return std::string(name.substr(kPrefix.size()));
    subprotocols.remove_prefix(comma == std::string_view::npos ? subprotocols.size() : comma + 1);
  }
  return {};
}

Access::Access(const ServeOptions& options)
    : keys_(options.api_keys), origins_(options.cors_origins) {
  if (options.api_key_file.empty()) return;
  for (std::string& key : keys_of(options.api_key_file)) keys_.push_back(std::move(key));
}

void Access::check_key(Exchange& exchange) const {
  if (keys_.empty()) return;
  const std::string given =
      given_key(exchange.header("Authorization"), exchange.header("Sec-WebSocket-Protocol"));
  bool is_known = false;
  for (const std::string& key : keys_) is_known |= is_same_key(given, key);
  if (is_known) return;
  exchange.set_header("WWW-Authenticate", "Bearer");
  throw ApiError(401,
                 given.empty() ? "This server needs a key: send Authorization: Bearer KEY."
                               : "The API key is not one of this server's.",
                 {}, "invalid_api_key");
}

bool Access::is_allowed(std::string_view origin) const {
  return std::ranges::any_of(
      origins_, [&](const std::string& allowed) { return allowed == "*" || allowed == origin; });
}

void Access::allow_origin(Exchange& exchange) const {
  const std::string origin = exchange.header("Origin");
  if (origins_.empty() || origin.empty() || !is_allowed(origin)) return;
  exchange.set_header("Access-Control-Allow-Origin", valid_utf8(origin));
  exchange.set_header("Access-Control-Expose-Headers", "X-Request-Id, Retry-After");
  exchange.set_header("Vary", "Origin");
}

void Access::check_origin(Exchange& exchange) const {
  const std::string origin = exchange.header("Origin");
  if (origin.empty() || is_allowed(origin)) return;
  const size_t host = origin.find("://");
  if (host != std::string::npos && origin.substr(host + 3) == exchange.header("Host")) return;
  throw ApiError(403, "This server does not let that web site in; --cors-origin does.", {},
                 "origin_not_allowed");
}

void Access::answer_preflight(Exchange& exchange, const std::string& methods) const {
  exchange.set_header("Allow", methods);
  if (!exchange.header("Access-Control-Request-Method").empty()) {
    exchange.set_header("Access-Control-Allow-Methods", methods);
    exchange.set_header("Access-Control-Allow-Headers",
                        valid_utf8(exchange.header("Access-Control-Request-Headers")));
    exchange.set_header("Access-Control-Max-Age", "600");
  }
  exchange.answer(204, "", "");
}

}  // namespace whisper_s4y::server
