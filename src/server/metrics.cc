#include "server/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>
#include <unistd.h>

#include <cstdio>

namespace whisper_s4y::server {
namespace {

using prometheus::Counter;
using prometheus::Family;
using prometheus::Gauge;
using prometheus::Histogram;
using prometheus::Registry;

const Histogram::BucketBoundaries kSeconds = {0.05, 0.1, 0.25, 0.5, 1,   2.5,
                                              5,    10,  30,   60,  300, 1800};
const Histogram::BucketBoundaries kFactors = {0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2};

Family<Counter>& counters(Registry& registry, const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}
Family<Gauge>& gauges(Registry& registry, const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
}
Family<Histogram>& histograms(Registry& registry, const char* name, const char* help) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(registry);
}

// Bytes of memory this process occupies; 0 where /proc is hidden.
double resident_memory() {
  long long pages = 0;
  long long resident = 0;
  std::FILE* file = std::fopen("/proc/self/statm", "re");
  if (file == nullptr) return 0;
  if (std::fscanf(file, "%lld %lld", &pages, &resident) != 2) resident = 0;
  std::fclose(file);
  return static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

struct Metrics::Impl {
  Registry registry;
  Family<Counter>& requests = counters(registry, "whisper_s4y_http_requests_total",
                                       "Requests that were answered, by route and status");
  Family<Histogram>& request_seconds =
      histograms(registry, "whisper_s4y_http_request_duration_seconds",
                 "Time from the header of a request to the end of its answer");
  Histogram& queue_seconds = histograms(registry, "whisper_s4y_queue_duration_seconds",
                                        "Time that recordings waited for their turn")
                                 .Add({}, kSeconds);
  Counter& audio_seconds = counters(registry, "whisper_s4y_audio_seconds_total",
                                    "Seconds of sound that were transcribed")
                               .Add({});
  Counter& work_seconds = counters(registry, "whisper_s4y_transcription_seconds_total",
                                   "Seconds that transcribing took")
                              .Add({});
  Counter& errors = counters(registry, "whisper_s4y_errors_total",
                             "Requests that failed by the server's fault (5xx but 503)")
                        .Add({});
  Counter& rejected = counters(registry, "whisper_s4y_rejected_requests_total",
                               "Requests that were sent away because the queue was full (429)")
                          .Add({});
  Histogram& real_time_factor =
      histograms(registry, "whisper_s4y_real_time_factor",
                 "Seconds of computing for a second of sound, of each transcription")
          .Add({}, kFactors);
  Family<Counter>& utterances = counters(registry, "whisper_s4y_utterances_total",
                                         "Utterances that came live, by protocol and outcome");
  Family<Gauge>& sessions =
      gauges(registry, "whisper_s4y_sessions", "Sessions of speech that comes live, by protocol");
  Gauge& connections = gauges(registry, "whisper_s4y_connections", "Open connections").Add({});
  Gauge& waiting =
      gauges(registry, "whisper_s4y_queue_length", "Recordings that wait for their turn").Add({});
  Gauge& busy =
      gauges(registry, "whisper_s4y_workers_busy", "Transcriptions at the moment").Add({});
  Gauge& workers = gauges(registry, "whisper_s4y_workers", "Most transcriptions at a time").Add({});
  Family<Gauge>& loaded =
      gauges(registry, "whisper_s4y_model_loaded", "Whether a model is open (1) or not (0)");
  Gauge& memory = gauges(registry, "process_resident_memory_bytes",
                         "Memory that the process occupies, in bytes")
                      .Add({});
};

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {}
Metrics::~Metrics() = default;

void Metrics::observe_request(const std::string& route, int status, double seconds) {
  impl_->requests.Add({{"route", route}, {"status", std::to_string(status)}}).Increment();
  impl_->request_seconds.Add({{"route", route}}, kSeconds).Observe(seconds);
  if (status == 429) impl_->rejected.Increment();
  if (status >= 500 && status != 503) impl_->errors.Increment();
}

void Metrics::observe_wait(double seconds) { impl_->queue_seconds.Observe(seconds); }

void Metrics::observe_transcription(double audio_seconds, double work_seconds) {
  impl_->audio_seconds.Increment(audio_seconds);
  impl_->work_seconds.Increment(work_seconds);
  if (audio_seconds > 0) impl_->real_time_factor.Observe(work_seconds / audio_seconds);
}

void Metrics::observe_utterance(const std::string& protocol, bool failed) {
  impl_->utterances.Add({{"protocol", protocol}, {"outcome", failed ? "failed" : "completed"}})
      .Increment();
}

void Metrics::count_session(const std::string& protocol, int change) {
  impl_->sessions.Add({{"protocol", protocol}}).Increment(change);
}

std::string Metrics::to_text(const WorkQueue& queue, const ModelStore& models, int connections) {
  impl_->connections.Set(connections);
  impl_->waiting.Set(queue.waiting());
  impl_->busy.Set(queue.busy());
  impl_->workers.Set(queue.workers());
  for (const auto& model : models.all()) {
    impl_->loaded.Add({{"model", model->name()}}).Set(model->facts().is_loaded ? 1 : 0);
  }
  impl_->memory.Set(resident_memory());
  return prometheus::TextSerializer().Serialize(impl_->registry.Collect());
}

}  // namespace whisper_s4y::server
