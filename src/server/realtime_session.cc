#include "server/realtime_session.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <random>
#include <utility>

#include "options/option_table.h"

namespace whisper_s4y::server {
namespace {

// Sound of one turn of a client that commits, and that is heard at once.
constexpr double kMostTurnSeconds = 600;
constexpr size_t kMostPending = size_t{10} * kSampleRate;
constexpr const char* kProtocol = "realtime";
constexpr const char* kTranscription = "conversation.item.input_audio_transcription";

double seconds(size_t samples) { return static_cast<double>(samples) / kSampleRate; }

int64_t to_ms(double seconds) { return std::llround(seconds * 1000); }

Json or_null(const std::string& text) { return text.empty() ? Json() : Json(text); }

std::string random_id() {
  std::random_device random;
  return fmt::format("{:08x}{:08x}", random(), random());
}

Json error_fields(const ApiError& error) { return Json::parse(error.to_json()).at("error"); }

}  // namespace

/// A turn of speech.
struct RealtimeSession::Item {
  std::string id;
  double start = 0;  // seconds of the session
  double end = 0;
  bool is_committed = false;
  Deltas deltas = {};
  std::string transcript = {};  // what was told of it
  size_t heard = 0;             // bytes of the confirmed text that are in `transcript`
  double work_before = 0;       // seconds of computing until then
  std::string language = {};
  Json logprobs = Json::array();
};

RealtimeSession::RealtimeSession(Services& services, Client client, RealtimeConfig config,
                                 SessionShape shape, std::function<void(const std::string&)> send)
    : services_(services),
      client_(std::move(client)),
      config_(std::move(config)),
      shape_(shape),
      send_(std::move(send)),
      id_("sess_" + random_id()),
      stream_(std::make_unique<RawAudioStream>(config_.format)) {
  client_.record.model = config_.model->name();
}

RealtimeSession::~RealtimeSession() = default;

void RealtimeSession::begin() {
  send(shape_ == SessionShape::flat ? "transcription_session.created" : "session.created",
       {{"session", to_json(config_, id_, shape_)}});
}

/// What is wrong is told by an event.
template <typename Body>
void RealtimeSession::answering(const std::string& event_id, Body&& body) {
  try {
    std::forward<Body>(body)();
  } catch (const ApiError& error) {
    send_error(error, event_id);
  } catch (const Error& error) {
    send_error(api_error_of(error), event_id);
  }
}

void RealtimeSession::take(std::string_view message) {
  std::string event_id;
  answering(event_id, [&] {
    const ClientEvent event = parse_client_event(message);
    event_id = event.id;
    handle(event);
  });
}

void RealtimeSession::take_binary() {
  send_error(ApiError(400, "Events are texts; sound is in them as base64."), "");
}

void RealtimeSession::settle() {
  answering("", [&] { hear_pending(); });
}

void RealtimeSession::handle(const ClientEvent& event) {
  if (event.type == "input_audio_buffer.append") {
    append(event);
    return;
  }
  hear_pending();
  if (event.type == "session.update") {
    update(event, SessionShape::nested);
  } else if (event.type == "transcription_session.update") {
    update(event, SessionShape::flat);
  } else if (event.type == "input_audio_buffer.commit") {
    commit();
  } else if (event.type == "input_audio_buffer.clear") {
    clear();
  } else {
    throw ApiError(400,
                   fmt::format("This server does not know the event {}.", one_line(event.type)),
                   "type", "unknown_event");
  }
}

void RealtimeSession::update(const ClientEvent& event, SessionShape shape) {
  const auto session = event.body.find("session");
  if (session == event.body.end()) {
    throw ApiError(400, "The event has no `session`.", "session", "missing_required_parameter");
  }
  RealtimeConfig config = updated(config_, *session, shape, services_.models);
  const bool is_flat = shape == SessionShape::flat;
  if (!(config == config_)) {
    if (live_) stop_listening();  // an utterance that has begun is one of the old settings
    if (!(config.format == config_.format)) {
      stream_ = std::make_unique<RawAudioStream>(config.format);
    }
    if (config.vad && !config_.vad) turn_.clear();
    config_ = std::move(config);
    client_.record.model = config_.model->name();
  }
  send(is_flat ? "transcription_session.updated" : "session.updated",
       {{"session", to_json(config_, id_, shape)}});
}

void RealtimeSession::append(const ClientEvent& event) {
  const std::vector<std::byte> bytes = appended_audio(event);
  const std::span<const float> samples = stream_->push(bytes);
  if (!config_.vad && seconds(turn_.size() + pending_.size() + samples.size()) > kMostTurnSeconds) {
    throw ApiError(400,
                   fmt::format("The buffer is full: a turn may have {:.0f} s. Commit or clear it.",
                               kMostTurnSeconds),
                   "audio", "input_audio_buffer_full");
  }
  pending_.insert(pending_.end(), samples.begin(), samples.end());
  if (pending_.size() >= kMostPending) hear_pending();
}

void RealtimeSession::hear_pending() {
  if (pending_.empty()) return;
  const std::vector<float> samples = std::exchange(pending_, {});
  if (config_.vad) {
    hear(samples);
  } else {
    turn_.insert(turn_.end(), samples.begin(), samples.end());
    heard_ += seconds(samples.size());
  }
}

void RealtimeSession::commit() {
  const ApiError empty(400, "The buffer is empty: there is nothing to commit.", {},
                       "input_audio_buffer_commit_empty");
  if (config_.vad) {
    const bool is_speaking = !items_.empty();
    if (live_) stop_listening();
    if (!is_speaking) throw ApiError(empty);
    return;
  }
  const std::span<const float> rest = stream_->finish();
  turn_.insert(turn_.end(), rest.begin(), rest.end());
  heard_ += seconds(rest.size());
  if (turn_.empty()) throw ApiError(empty);
  transcribe_turn();
}

void RealtimeSession::clear() {
  stream_ = std::make_unique<RawAudioStream>(config_.format);
  turn_.clear();
  live_.reset();
  items_.clear();
  send("input_audio_buffer.cleared", Json::object());
}

// Turns of the client's.

void RealtimeSession::transcribe_turn() {
  const std::vector<float> samples = std::exchange(turn_, {});
  Item& item = new_item(heard_ - seconds(samples.size()));
  item.end = heard_;
  tell_committed(item);
  TranscriptionJob job{.model = config_.model, .options = config_.live_options().transcribe};
  try {
    TranscriptionEvents events;
    events.on_segment = [&](const Segment& segment) { tell_delta(item, segment.text, &segment); };
    const Transcription result = transcribe(client_, services_, job, samples, events);
    item.language = result.transcript.language;
    complete(item);
  } catch (const ApiError& error) {
    fail_item(item, error);
  } catch (const Error& error) {
    fail_item(item, api_error_of(error));
  }
  items_.clear();
}

// Turns by voice activity.

void RealtimeSession::begin_listening() {
  if (!detector_) {
    detector_ = make_speech_detector(
        [this](const std::string& warning) { services_.log.write("warning", warning); });
  }
  LiveCallbacks callbacks;
  callbacks.on_speech = [this](const LiveSpeech& speech) { on_speech(speech); };
  callbacks.on_text = [this](const LiveText& text) { on_text(text); };
  callbacks.cancelled = [this] {
    client_.check();
    return false;
  };
  live_ = std::make_unique<LiveTranscriber>(
      [this] { return take_turn(client_, services_, *config_.model); }, *detector_,
      config_.live_options(), std::move(callbacks));
  live_begin_ = heard_;
}

void RealtimeSession::hear(std::span<const float> samples) {
  if (!live_) begin_listening();
  heard_ += seconds(samples.size());
  go_on([&] { live_->push(std::exchange(samples, {})); });
}

/// Ends the utterance, if there is one.
void RealtimeSession::stop_listening() {
  const std::span<const float> rest = stream_->finish();
  heard_ += seconds(rest.size());
  const std::vector<float> last(rest.begin(), rest.end());
  bool is_over = false;
  go_on([&] {
    live_->push(is_over ? std::span<const float>() : std::span<const float>(last));
    if (!std::exchange(is_over, true)) live_->finish();
  });
  live_.reset();
  items_.clear();
}

/// An utterance that cannot be transcribed is told of, and does not keep those behind it from their
/// texts.
void RealtimeSession::go_on(const std::function<void()>& step) {
  for (;;) {
    std::optional<ApiError> failure;
    try {
      step();
    } catch (const ApiError& error) {
      failure = error;
    } catch (const Error& error) {
      failure = api_error_of(error);
    }
    if (!failure) break;
    client_.check();
    if (items_.empty() || !items_.front().is_committed) throw ApiError(*failure);
    fail_item(items_.front(), *failure);
    items_.pop_front();
  }
  complete_ended();
}

void RealtimeSession::on_speech(const LiveSpeech& speech) {
  const double time = live_begin_ + speech.time;
  if (speech.begins) {
    const Item& item = new_item(time);
    send("input_audio_buffer.speech_started",
         {{"audio_start_ms", to_ms(time)}, {"item_id", item.id}});
    return;
  }
  Item& item = items_.back();
  item.end = time;
  send("input_audio_buffer.speech_stopped", {{"audio_end_ms", to_ms(time)}, {"item_id", item.id}});
  tell_committed(item);
}

void RealtimeSession::on_text(const LiveText& text) {
  // Those before have none.
  while (items_.size() > 1 && items_.front().start < live_begin_ + text.start) {
    complete(items_.front());
    items_.pop_front();
  }
  Item& item = items_.front();
  item.language = text.language;
  tell_delta(item, text.confirmed.substr(item.heard), nullptr);
  item.heard = text.confirmed.size();
  if (!text.is_final) return;
  if (config_.logprobs) {
    const auto model = config_.model->open();
    for (const Segment& segment : text.segments) {
      for (Json& entry : logprobs_of(segment, *model)) item.logprobs.push_back(std::move(entry));
    }
  }
  RequestRecord& record = client_.record;
  record.audio_seconds += item.end - item.start;
  record.language = text.language;
  if (services_.options.log_texts) record.text = record.text.value_or("") + text.confirmed;
  services_.metrics.observe_transcription(item.end - item.start,
                                          record.work_seconds - item.work_before);
  complete(item);
  items_.pop_front();
}

/// Utterances that are over and were not told of have no text.
void RealtimeSession::complete_ended() {
  while (!items_.empty() && items_.front().is_committed) {
    complete(items_.front());
    items_.pop_front();
  }
}

// Events.

RealtimeSession::Item& RealtimeSession::new_item(double start) {
  items_.push_back({.id = new_id("item"), .start = start});
  items_.back().work_before = client_.record.work_seconds;
  return items_.back();
}

void RealtimeSession::tell_committed(Item& item) {
  item.is_committed = true;
  send("input_audio_buffer.committed",
       {{"item_id", item.id}, {"previous_item_id", or_null(last_item_)}});
  last_item_ = item.id;
}

void RealtimeSession::tell_delta(Item& item, const std::string& text, const Segment* segment) {
  const std::string delta = item.deltas.add(text);
  if (delta.empty()) return;
  item.transcript += delta;
  Json fields = {{"item_id", item.id}, {"content_index", 0}, {"delta", delta}};
  if (config_.logprobs && segment != nullptr) {
    Json logprobs = logprobs_of(*segment, *config_.model->open());
    item.logprobs.insert(item.logprobs.end(), logprobs.begin(), logprobs.end());
    fields["logprobs"] = std::move(logprobs);
  }
  send(fmt::format("{}.delta", kTranscription).c_str(), fields);
}

void RealtimeSession::complete(Item& item) {
  Json fields = {{"item_id", item.id},
                 {"content_index", 0},
                 {"transcript", item.transcript},
                 {"usage", usage_of(item.end - item.start)}};
  if (config_.logprobs) fields["logprobs"] = std::move(item.logprobs);
  if (!item.language.empty()) fields["languages"] = Json::array({{{"code", item.language}}});
  send(fmt::format("{}.completed", kTranscription).c_str(), fields);
  services_.metrics.observe_utterance(kProtocol, /*failed=*/false);
}

void RealtimeSession::fail_item(Item& item, const ApiError& error) {
  client_.record.error = error.what();
  send(fmt::format("{}.failed", kTranscription).c_str(),
       {{"item_id", item.id}, {"content_index", 0}, {"error", error_fields(error)}});
  services_.metrics.observe_utterance(kProtocol, /*failed=*/true);
}

void RealtimeSession::send_error(const ApiError& error, const std::string& event_id) {
  client_.record.error = error.what();
  Json fields = error_fields(error);
  fields["event_id"] = or_null(event_id);
  send("error", {{"error", std::move(fields)}});
}

void RealtimeSession::send(const char* type, const Json& fields) {
  Json event = {{"type", type}, {"event_id", new_id("event")}};
  event.update(fields);
  send_(json_text(event));
}

std::string RealtimeSession::new_id(const char* kind) {
  return fmt::format("{}_{}{:06}", kind, id_.substr(5), next_id_++);
}

}  // namespace whisper_s4y::server
