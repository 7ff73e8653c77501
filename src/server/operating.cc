// What operators ask: whether it lives, whether it is ready, what it does.
#include "server/routes.h"

namespace whisper_s4y::server {

// whisper.cpp answers so too.
void handle_health(Exchange& exchange, Services& services) {
  if (services.ready) {
    exchange.answer_json(R"({"status":"ok"})");
  } else {
    exchange.set_header("Retry-After", "1");
    exchange.answer(503, "application/json", R"({"status":"loading model"})");
  }
}

void handle_ready(Exchange& exchange, Services& services) {
  if (services.ready && services.queue.is_open()) {
    exchange.answer_json(R"({"status":"ready"})");
  } else {
    exchange.set_header("Retry-After", "1");
    exchange.answer(
        503, "application/json",
        services.ready ? R"({"status":"shutting down"})" : R"({"status":"loading model"})");
  }
}

void handle_metrics(Exchange& exchange, Services& services) {
  exchange.answer(
      200, "text/plain; version=0.0.4; charset=utf-8",
      services.metrics.to_text(services.queue, services.models, services.connections()));
}

}  // namespace whisper_s4y::server
