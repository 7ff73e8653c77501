// What all requests share.
#pragma once

#include <atomic>
#include <functional>

#include "server/access.h"
#include "server/exchange.h"
#include "server/metrics.h"
#include "server/model_store.h"
#include "server/request_log.h"
#include "server/serve_options.h"
#include "server/work_queue.h"

namespace whisper_s4y::server {

/// Outlives every connection.
struct Services {
  const ServeOptions& options;
  const Access& access;
  ModelStore& models;
  WorkQueue& queue;
  Metrics& metrics;
  RequestLog& log;
  std::function<int()> connections;    // open ones
  std::atomic<int> sessions = 0;       // of speech that comes live
  std::atomic<bool> ready = false;     // the models are open
  std::atomic<bool> stopping = false;  // what still runs is to end now
};

}  // namespace whisper_s4y::server
