// OpenAI's audio API: transcriptions, translations, models.
#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "options/option_table.h"
#include "server/openai_request.h"
#include "server/openai_response.h"
#include "server/routes.h"
#include "server/transcription.h"

namespace whisper_s4y::server {
namespace {

// Progress is told at most so often.
constexpr std::chrono::milliseconds kProgressInterval{200};

/// Events while a recording is decoded. The answer begins with the first, so that until then an
/// error has its status.
class EventStream {
 public:
  EventStream(Exchange& exchange, const OpenAiRequest& request)
      : exchange_(exchange),
        request_(request),
        model_(request.logprobs ? request.job.model->open() : nullptr) {}

  void send_segment(const Segment& segment) {
    const std::string delta = deltas_.add(segment.text);
    if (!delta.empty()) {
      text_ += delta;
      Json event = {{"type", "transcript.text.delta"}, {"delta", delta}};
      if (request_.logprobs) {
        event["logprobs"] = logprobs_of(segment, *model_);
        logprobs_.insert(logprobs_.end(), event["logprobs"].begin(), event["logprobs"].end());
      }
      send(event);
    }
    if (is_verbose() && request_.segments) send(segment_event(segment, request_));
  }

  void send_progress(double done, double total) {
    const Clock::time_point now = Clock::now();
    // As long as nothing is done the answer may still become an error's, with its status.
    if (!is_verbose() || done == 0 || now < next_progress_) return;
    next_progress_ = now + kProgressInterval;
    send({{"type", "transcript.progress"}, {"done", done}, {"total", total}});
  }

  void send_done(const Transcript& transcript) {
    Json event = {{"type", "transcript.text.done"}, {"text", text_}};
    if (request_.logprobs) event["logprobs"] = std::move(logprobs_);
    event["usage"] = usage_of(transcript.duration);
    if (is_verbose()) event["transcript"] = verbose_json(transcript, request_);
    send(event);
  }

 private:
  using Clock = std::chrono::steady_clock;

  // Of ours: OpenAI's streams have deltas and the end alone.
  [[nodiscard]] bool is_verbose() const { return request_.format == ResponseFormat::verbose_json; }

  void send(const Json& event) {
    if (!exchange_.has_begun()) exchange_.begin("text/event-stream; charset=utf-8");
    exchange_.send(fmt::format("data: {}\n\n", json_text(event)));
  }

  Exchange& exchange_;
  const OpenAiRequest& request_;
  const std::shared_ptr<const Model> model_;
  Deltas deltas_;
  std::string text_;
  Json logprobs_ = Json::array();
  Clock::time_point next_progress_{};
};

/// A large recording that was transcribed while it came, by the fields before it.
struct EarlyTranscription {
  std::vector<std::pair<std::string, std::string>> fields;
  Transcription transcription;
};

// What goes wrong here is no answer yet: fields may follow, some files cannot be read from front to
// back, and who sends slowly must not keep a worker. The whole form is tried once more.
std::optional<EarlyTranscription> transcribe_early(Exchange& exchange, Services& services,
                                                   std::string_view task, const Form& so_far,
                                                   const std::shared_ptr<ArrivingFile>& file) {
  if (!so_far.find("model")) return std::nullopt;  // what follows the file will count
  try {
    const OpenAiRequest request = openai_request(so_far, task, services.models);
    return EarlyTranscription{so_far.fields,
                              transcribe(exchange, services, so_far, file, request.job)};
  } catch (const TooSlow&) {
    return std::nullopt;
  } catch (const Error&) {
    return std::nullopt;
  } catch (const ApiError& error) {
    if (error.status() >= 500) throw;  // the time is over, or the server ends
    return std::nullopt;
  }
}

void stream(Exchange& exchange, Services& services, const Form& form,
            const OpenAiRequest& request) {
  EventStream events(exchange, request);
  const Transcription transcription = transcribe(
      exchange, services, form, form.file, request.job,
      {.on_segment = [&](const Segment& segment) { events.send_segment(segment); },
       .on_progress = [&](double done, double total) { events.send_progress(done, total); }});
  events.send_done(transcription.transcript);
}

void send_all(Exchange& exchange, const OpenAiRequest& request, const Transcript& transcript) {
  EventStream events(exchange, request);
  for (const Segment& segment : transcript.segments) events.send_segment(segment);
  events.send_done(transcript);
}

void handle(Exchange& exchange, Services& services, std::string_view task) {
  services.queue.check_room();
  std::optional<WorkQueue::Ticket> ticket;
  std::optional<EarlyTranscription> early;
  const Form form = read_form(exchange, services, [&](const Form& so_far, const auto& file) {
    ticket.emplace(services.queue.admit());
    early = transcribe_early(exchange, services, task, so_far, file);
  });
  if (!ticket) ticket.emplace(services.queue.admit());
  const OpenAiRequest request = openai_request(form, task, services.models);
  const bool is_done = early && early->fields == form.fields;
  if (early && !is_done) exchange.record().audio_seconds = 0;  // it is transcribed anew
  if (request.stream) {
    if (is_done) {
      send_all(exchange, request, early->transcription.transcript);
    } else {
      stream(exchange, services, form, request);
    }
    return;
  }
  const Transcription transcription =
      is_done ? std::move(early->transcription)
              : transcribe(exchange, services, form, form.file, request.job);
  const ResponseBody body = openai_response(transcription, request);
  exchange.answer(200, body.content_type, body.text);
}

Json to_json(const ServedModelFacts& model) {
  return {{"id", model.name},          {"object", "model"},         {"created", model.created},
          {"owned_by", "whisper-s4y"}, {"loaded", model.is_loaded}, {"languages", model.languages}};
}

}  // namespace

void handle_transcriptions(Exchange& exchange, Services& services) {
  handle(exchange, services, "transcribe");
}

void handle_translations(Exchange& exchange, Services& services) {
  handle(exchange, services, "translate");
}

void handle_models(Exchange& exchange, Services& services) {
  Json list = {{"object", "list"}, {"data", Json::array()}};
  for (const auto& model : services.models.all()) list["data"].push_back(to_json(model->facts()));
  exchange.answer_json(json_text(list));
}

void handle_options(Exchange& exchange, Services& /*services*/) {
  exchange.answer_json(json_text({{"object", "list"}, {"data", describe_fields()}}));
}

void handle_model(Exchange& exchange, Services& services) {
  const std::string name = exchange.path().substr(std::string_view("/v1/models/").size());
  for (const auto& model : services.models.all()) {
    if (model->name() != name) continue;
    exchange.answer_json(json_text(to_json(model->facts())));
    return;
  }
  throw ApiError(404, fmt::format("The model `{}` does not exist.", one_line(name)), "model",
                 "model_not_found");
}

}  // namespace whisper_s4y::server
