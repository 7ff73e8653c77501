// OpenAI's audio API: transcriptions, translations, models.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "options/option_table.h"
#include "server/openai_request.h"
#include "server/openai_response.h"
#include "server/routes.h"
#include "server/transcription.h"

namespace whisper_s4y::server {
namespace {

void send_event(Exchange& exchange, const Json& event) {
  exchange.send(fmt::format("data: {}\n\n", json_text(event)));
}

void stream(Exchange& exchange, Services& services, const Form& form,
            const OpenAiRequest& request) {
  Deltas deltas;
  std::string text;
  Json logprobs = Json::array();
  const auto model = request.logprobs ? request.job.model->open() : nullptr;
  // The answer begins with the first text, so that until then an error has its status.
  const auto on_segment = [&](const Segment& segment) {
    const std::string delta = deltas.add(segment.text);
    if (delta.empty()) return;
    if (!exchange.has_begun()) exchange.begin("text/event-stream; charset=utf-8");
    text += delta;
    Json event = {{"type", "transcript.text.delta"}, {"delta", delta}};
    if (request.logprobs) {
      event["logprobs"] = logprobs_of(segment, *model);
      logprobs.insert(logprobs.end(), event["logprobs"].begin(), event["logprobs"].end());
    }
    send_event(exchange, event);
  };
  const Transcription transcription = transcribe(exchange, services, form, request.job, on_segment);
  if (!exchange.has_begun()) exchange.begin("text/event-stream; charset=utf-8");
  Json done = {{"type", "transcript.text.done"}, {"text", text}};
  if (request.logprobs) done["logprobs"] = std::move(logprobs);
  done["usage"] = usage_of(transcription.transcript.duration);
  send_event(exchange, done);
}

void handle(Exchange& exchange, Services& services, std::string_view task) {
  const WorkQueue::Ticket ticket = services.queue.admit();
  const Form form = read_form(exchange, services);
  const OpenAiRequest request = openai_request(form, task, services.models);
  if (request.stream) {
    stream(exchange, services, form, request);
    return;
  }
  const Transcription transcription = transcribe(exchange, services, form, request.job);
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
