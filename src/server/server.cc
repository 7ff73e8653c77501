#include "server/server.h"

#include <fmt/format.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <filesystem>
#include <thread>
#include <utility>

#include "common/fail.h"
#include "runtime/cpu.h"
#include "server/access.h"
#include "server/http_server.h"
#include "server/services.h"
#include "server/wyoming_server.h"

namespace whisper_s4y::server {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kTick{50};
constexpr std::chrono::milliseconds kSweep{500};
// What many requests at a time need and one does not is kept so long after them.
constexpr std::chrono::seconds kUnused{15};
constexpr int kMostWorkers = 8;  // unless more are asked for: each has tensors of its own

ServeOptions checked(ServeOptions options) {
  options.validate();
  const std::filesystem::path& uploads = options.upload_dir;
  if (!uploads.empty() &&
      (!std::filesystem::is_directory(uploads) || ::access(uploads.c_str(), W_OK | X_OK) != 0)) {
    fail(ErrorCode::io, "Cannot write uploads to {}: it is no folder that can be written to.",
         uploads.string());
  }
  if (options.runtime.threads == 0) options.runtime.threads = default_threads();
  if (options.workers == 0) options.workers = std::min(options.runtime.threads, kMostWorkers);
  return options;
}

}  // namespace

struct Server::Impl {
  Impl(ServeOptions options_, const std::vector<ModelName>& names)
      : options(checked(std::move(options_))),
        access(options),
        log(options.log_file, options.log_texts),
        models(names, runtime()),
        queue(options.workers, options.runtime.threads, options.queue),
        services{.options = options,
                 .access = access,
                 .models = models,
                 .queue = queue,
                 .metrics = metrics,
                 .log = log,
                 .connections = [this] { return http ? http->connections() : 0; }} {
    // A file that is no model is told before anything listens.
    if (!options.lazy) {
      for (const auto& model : models.all()) (void)model->open();
    }
    http = std::make_unique<HttpServer>(services, access);
    if (options.wyoming_port != 0) wyoming = std::make_unique<WyomingServer>(services);
  }

  ~Impl() {
    give_up = true;
    if (warming.joinable()) warming.join();
  }

  [[nodiscard]] RuntimeOptions runtime() {
    RuntimeOptions result = options.runtime;
    result.on_warning = [this](const std::string& warning) { log.write("warning", warning); };
    return result;
  }

  /// Packs the weights, so that the first request does not wait for it.
  void warm_up() {
    try {
      for (const auto& model : models.all()) {
        if (options.lazy || give_up) break;
        const std::vector<float> silence(kSampleRate);
        const ServedModel::Lease transcriber = model->take(options.runtime.threads);
        TranscribeCallbacks callbacks;
        callbacks.cancelled = [this] { return give_up.load(); };
        (void)transcriber->transcribe(silence, {}, callbacks);
      }
      services.ready = true;
    } catch (...) {  // thrown again by run()
      failure = std::current_exception();
      failed = true;
    }
  }

  void release_unused() {
    for (const auto& model : models.all()) model->release_unused(kUnused);
    if (active() == 0 && Clock::now() > next_trim) {
      ::malloc_trim(0);  // what requests have freed goes back to the system
      next_trim = Clock::now() + kUnused;
    }
    if (options.idle_unload <= 0) return;
    for (const auto& model : models.all()) {
      if (model->close_unused(std::chrono::duration<double>(options.idle_unload))) {
        log.write("unloaded", fmt::format("{} was not used and is closed.", model->name()));
      }
    }
  }

  void run(const std::function<bool()>& stop) {
    warming = std::thread([this] { warm_up(); });
    log.write("listening", fmt::format("http://{}:{}", options.host, http->port()));
    if (wyoming) {
      log.write("listening", fmt::format("tcp://{}:{}", options.host, options.wyoming_port));
    }
    Clock::time_point next_sweep = Clock::now();
    while (!stop() && !failed) {
      std::this_thread::sleep_for(kTick);
      if (Clock::now() < next_sweep) continue;
      next_sweep = Clock::now() + kSweep;
      http->sweep();
      release_unused();
    }
    shut_down();
    if (failure) std::rethrow_exception(failure);
  }

  [[nodiscard]] int active() const {
    return http->active_requests() + (wyoming ? wyoming->active() : 0);
  }

  void shut_down() {
    give_up = true;
    queue.close();
    http->stop_accepting();
    if (wyoming) wyoming->stop_accepting();
    log.write("stopping", fmt::format("{} requests are running.", active()));
    const Clock::time_point end =
        Clock::now() + std::chrono::duration_cast<Clock::duration>(
                           std::chrono::duration<double>(options.shutdown_grace));
    while (active() > 0 && Clock::now() < end) std::this_thread::sleep_for(kTick);
    services.stopping = true;
    // Those that compute end within 100 ms, and say so to their clients.
    const Clock::time_point last = Clock::now() + std::chrono::seconds(1);
    while (active() > 0 && Clock::now() < last) std::this_thread::sleep_for(kTick);
    http->stop();
    if (wyoming) wyoming->stop();
    warming.join();
    log.write("stopped", "All requests have ended.");
  }

  const ServeOptions options;
  const Access access;
  RequestLog log;
  ModelStore models;
  WorkQueue queue;
  Metrics metrics;
  Services services;
  std::thread warming;
  Clock::time_point next_trim{};
  std::atomic<bool> give_up = false;
  std::atomic<bool> failed = false;
  std::exception_ptr failure;
  std::unique_ptr<HttpServer> http;
  std::unique_ptr<WyomingServer> wyoming;
};

Server::Server(ServeOptions options, const std::vector<ModelName>& models)
    : impl_(std::make_unique<Impl>(std::move(options), models)) {}

Server::~Server() = default;

int Server::port() const { return impl_->http->port(); }

void Server::run(const std::function<bool()>& stop) { impl_->run(stop); }

}  // namespace whisper_s4y::server
