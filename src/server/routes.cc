#include "server/routes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace whisper_s4y::server {
namespace {

bool is_at(const Route& route, std::string_view path) {
  if (!route.path.ends_with("/*")) return path == route.path;
  const std::string_view prefix = route.path.substr(0, route.path.size() - 1);
  return path.size() > prefix.size() && path.starts_with(prefix);
}

bool takes(const Route& route, std::string_view method) {
  return method == route.method || (method == "HEAD" && route.method == "GET");
}

}  // namespace

const std::vector<Route>& routes() {
  static const std::vector<Route> all = {
      {.method = "POST",
       .path = "/v1/audio/transcriptions",
       .handler = handle_transcriptions,
       .needs_models = true},
      {.method = "POST",
       .path = "/v1/audio/translations",
       .handler = handle_translations,
       .needs_models = true},
      {.method = "GET", .path = "/v1/realtime", .handler = handle_realtime, .needs_models = true},
      {"GET", "/v1/models", handle_models},
      {"GET", "/v1/models/*", handle_model},
      {"GET", "/v1/options", handle_options},
      {.method = "GET", .path = "/", .handler = handle_page, .needs_key = false},
      {.method = "GET", .path = "/page/*", .handler = handle_page, .needs_key = false},
      {.method = "POST", .path = "/inference", .handler = handle_inference, .needs_models = true},
      {.method = "POST", .path = "/load", .handler = handle_load, .needs_models = true},
      {.method = "GET", .path = "/health", .handler = handle_health, .needs_key = false},
      {.method = "GET", .path = "/ready", .handler = handle_ready, .needs_key = false},
      {"GET", "/metrics", handle_metrics},
      {.method = "GET", .path = "/openapi.json", .handler = handle_openapi, .needs_key = false},
  };
  return all;
}

std::string methods_at(std::string_view path) {
  std::vector<std::string_view> methods;
  for (const Route& route : routes()) {
    if (!is_at(route, path)) continue;
    methods.push_back(route.method);
    if (route.method == "GET") methods.emplace_back("HEAD");
  }
  if (methods.empty()) {
    throw ApiError(404, fmt::format("There is nothing at {}.", one_line(path)), {}, "unknown_url");
  }
  methods.emplace_back("OPTIONS");
  return fmt::format("{}", fmt::join(methods, ", "));
}

const Route& find_route(Exchange& exchange) {
  for (const Route& route : routes()) {
    if (is_at(route, exchange.path()) && takes(route, exchange.method())) return route;
  }
  exchange.set_header("Allow", methods_at(exchange.path()));
  throw ApiError(405,
                 fmt::format("{} cannot be asked for with {}.", exchange.path(), exchange.method()),
                 {}, "method_not_allowed");
}

}  // namespace whisper_s4y::server
