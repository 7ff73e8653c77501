// Which function answers which request.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "server/exchange.h"
#include "server/services.h"

namespace whisper_s4y::server {

/// Answers a request. What it throws is answered by whoever has called it.
using Handler = void (*)(Exchange& exchange, Services& services);

struct Route {
  std::string_view method;  // GET answers HEAD too
  std::string_view path;    // "/v1/models/*": anything after it
  Handler handler;
  bool needs_key = true;      // when there are keys
  bool needs_models = false;  // 503 until they are open
};

/// All of them.
[[nodiscard]] const std::vector<Route>& routes();

/// "POST, OPTIONS": what can be asked for at a path. Throws ApiError (404).
[[nodiscard]] std::string methods_at(std::string_view path);

/// The route of a request. Throws ApiError: 404, or 405 with the methods in the header Allow.
[[nodiscard]] const Route& find_route(Exchange& exchange);

// OpenAI's audio API.
void handle_transcriptions(Exchange& exchange, Services& services);
void handle_translations(Exchange& exchange, Services& services);
void handle_realtime(Exchange& exchange, Services& services);
void handle_models(Exchange& exchange, Services& services);
void handle_model(Exchange& exchange, Services& services);
// Ours.
void handle_options(Exchange& exchange, Services& services);
void handle_page(Exchange& exchange, Services& services);
// The server of whisper.cpp.
void handle_inference(Exchange& exchange, Services& services);
void handle_load(Exchange& exchange, Services& services);
void handle_health(Exchange& exchange, Services& services);
// Operating it.
void handle_ready(Exchange& exchange, Services& services);
void handle_metrics(Exchange& exchange, Services& services);
void handle_openapi(Exchange& exchange, Services& services);

}  // namespace whisper_s4y::server
