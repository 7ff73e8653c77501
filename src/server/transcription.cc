#include "server/transcription.h"

#include <fmt/format.h>

#include <chrono>

namespace whisper_s4y::server {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

void check_duration(double seconds, double most) {
  if (seconds <= most) return;
  throw ApiError(413,
                 fmt::format("The recording is longer than {:.0f} s, the most that this server "
                             "takes.",
                             most),
                 "file", "audio_too_long");
}

}  // namespace

Form read_form(Exchange& exchange, const Services& services) {
  Form form =
      read_form(exchange.header("Content-Type"), exchange.body(), services.options.upload_dir);
  exchange.record().bytes_in = exchange.body().size();
  return form;
}

Transcription transcribe(Exchange& exchange, Services& services, const Form& form,
                         const TranscriptionJob& job, const TranscriptionEvents& events) {
  const double most_seconds = services.options.max_duration;
  RequestRecord& record = exchange.record();
  record.model = job.model->name();
  record.file_name = form.file_name;
  // A file that cannot be read is refused before it waits.
  AudioReader audio(form.file, form.file_name.empty() ? "the file" : form.file_name, job.audio);
  check_duration(audio.stated_seconds(), most_seconds);

  const Clock::time_point arrival = Clock::now();
  const WorkQueue::Turn turn = services.queue.wait([&] { exchange.check(); });
  record.queue_seconds = seconds_since(arrival);
  services.metrics.observe_wait(record.queue_seconds);

  const Clock::time_point begin = Clock::now();
  const ServedModel::Lease transcriber = job.model->take(turn.threads());
  Transcription result;
  TranscribeCallbacks callbacks;
  callbacks.on_segment = events.on_segment;
  callbacks.on_languages = [&](const auto& languages) { result.languages = languages; };
  callbacks.on_progress = [&](double done, double total) {
    check_duration(done, most_seconds);
    if (events.on_progress) events.on_progress(done, total);
  };
  callbacks.cancelled = [&] {
    exchange.check();
    return false;
  };
  try {
    result.transcript = transcriber->transcribe(audio, job.options, callbacks);
  } catch (...) {
    record.work_seconds = seconds_since(begin);
    throw;
  }
  record.work_seconds = seconds_since(begin);
  record.audio_seconds = result.transcript.duration;
  record.language = result.transcript.language;
  if (services.options.log_texts) record.text = result.transcript.text;
  services.metrics.observe_transcription(record.audio_seconds, record.work_seconds);
  result.model = job.model->open();
  return result;
}

}  // namespace whisper_s4y::server
