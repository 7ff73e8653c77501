#include "server/transcription.h"

#include <fmt/format.h>

#include <chrono>

namespace whisper_s4y::server {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

double seconds(int64_t samples) { return static_cast<double>(samples) / kSampleRate; }

void check_duration(double seconds, double most) {
  if (seconds <= most) return;
  throw ApiError(413,
                 fmt::format("The recording is longer than {:.0f} s, the most that this server "
                             "takes.",
                             most),
                 "file", "audio_too_long");
}

// A model is converted for a few; to say so after waiting would be late.
void check_beams(const TranscriptionJob& job) {
  if (job.options.beam_size.value_or(1) <= 1) return;
  const std::shared_ptr<const Model> model = job.model->open();
  const int most = model->info().max_beams;
  if (*job.options.beam_size <= most) return;
  throw ApiError(400,
                 most == 0 ? fmt::format("{} was converted without beams.", job.model->name())
                           : fmt::format("{} can follow {} beams at once, not {}.",
                                         job.model->name(), most, *job.options.beam_size),
                 "beam_size");
}

WorkQueue::Turn wait_for_turn(const Client& client, Services& services) {
  const Clock::time_point arrival = Clock::now();
  WorkQueue::Turn turn = services.queue.wait(client.check);
  const double waited = seconds_since(arrival);
  client.record.queue_seconds += waited;
  services.metrics.observe_wait(waited);
  return turn;
}

/// A turn and what is computed with in it.
class Work {
 public:
  Work(const Client& client, Services& services, ServedModel& model)
      : record_(client.record),
        turn_(wait_for_turn(client, services)),
        begin_(Clock::now()),
        lease_(model.take(turn_.threads())) {}
  ~Work() { record_.work_seconds += seconds_since(begin_); }
  Work(const Work&) = delete;
  Work& operator=(const Work&) = delete;

  [[nodiscard]] Transcriber& transcriber() const { return *lease_; }

 private:
  RequestRecord& record_;
  WorkQueue::Turn turn_;
  Clock::time_point begin_;
  ServedModel::Lease lease_;
};

/// `heard` tells the seconds that were decoded.
template <typename Audio>
Transcription transcribe_audio(const Client& client, Services& services,
                               const TranscriptionJob& job, Audio&& audio,
                               const std::function<double()>& heard,
                               const TranscriptionEvents& events) {
  RequestRecord& record = client.record;
  record.model = job.model->name();
  const double work_before = record.work_seconds;
  Transcription result;
  TranscribeCallbacks callbacks;
  callbacks.on_segment = events.on_segment;
  callbacks.on_languages = [&](const auto& languages) { result.languages = languages; };
  callbacks.on_progress = events.on_progress;
  callbacks.cancelled = [&] {
    client.check();
    // What does not say its length is cut off where it is decoded, ahead of what is computed.
    check_duration(heard(), services.options.max_duration);
    return false;
  };
  check_beams(job);
  {
    const std::shared_ptr<Transcriber> transcriber = take_turn(client, services, *job.model);
    result.transcript = transcriber->transcribe(audio, job.options, callbacks);
  }
  const Transcript& transcript = result.transcript;
  record.audio_seconds += transcript.duration;
  record.language = transcript.language;
  if (services.options.log_texts) record.text = record.text.value_or("") + transcript.text;
  services.metrics.observe_transcription(transcript.duration, record.work_seconds - work_before);
  result.model = job.model->open();
  return result;
}

}  // namespace

Form read_form(Exchange& exchange, const Services& services, const OnArrivingFile& on_file) {
  Form form = read_form(exchange.header("Content-Type"), exchange.body(),
                        services.options.upload_dir, on_file);
  exchange.record().bytes_in = exchange.body().size();
  return form;
}

std::shared_ptr<Transcriber> take_turn(const Client& client, Services& services,
                                       ServedModel& model) {
  auto work = std::make_shared<Work>(client, services, model);
  return {work, &work->transcriber()};
}

Transcription transcribe(const Client& client, Services& services, const TranscriptionJob& job,
                         AudioReader& audio, const TranscriptionEvents& events) {
  // What is too long is refused before it waits.
  check_duration(audio.stated_seconds(), services.options.max_duration);
  return transcribe_audio(
      client, services, job, audio, [&] { return seconds(audio.source().samples); }, events);
}

Transcription transcribe(const Client& client, Services& services, const TranscriptionJob& job,
                         Span<const float> samples, const TranscriptionEvents& events) {
  return transcribe_audio(
      client, services, job, samples, [&] { return seconds(static_cast<int64_t>(samples.size())); },
      events);
}

Transcription transcribe(Exchange& exchange, Services& services, const Form& form,
                         const std::shared_ptr<ByteSource>& file, const TranscriptionJob& job,
                         const TranscriptionEvents& events) {
  RequestRecord& record = exchange.record();
  record.model = job.model->name();
  record.file_name = form.file_name;
  // A file that cannot be read is refused before it waits.
  AudioReader audio(file, form.file_name.empty() ? "the file" : form.file_name, job.audio);
  return transcribe({.record = record, .check = [&] { exchange.check(); }}, services, job, audio,
                    events);
}

}  // namespace whisper_s4y::server
