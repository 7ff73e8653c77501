// What Prometheus asks for (https://prometheus.io/docs/practices/naming).
#pragma once

#include <memory>
#include <string>

#include "server/model_store.h"
#include "server/work_queue.h"

namespace whisper_s4y::server {

/// Counters of everything the server does. Thread-safe.
class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  /// A request that was answered; `route` is one of the server's, not what the client wrote.
  void observe_request(const std::string& route, int status, double seconds);
  /// Seconds from an upload's end to its turn.
  void observe_wait(double seconds);
  /// Seconds of sound, and seconds it took.
  void observe_transcription(double audio_seconds, double work_seconds);

  /// An utterance that came live, by "realtime" or "wyoming", and has its text or failed.
  void observe_utterance(const std::string& protocol, bool failed);
  /// One session more, or one less.
  void count_session(const std::string& protocol, int change);

  /// In Prometheus' text format, with what queue, models and process are at the moment.
  [[nodiscard]] std::string to_text(const WorkQueue& queue, const ModelStore& models,
                                    int connections);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace whisper_s4y::server
