// The routes of whisper.cpp's server (examples/server/server.cpp @ 233fe1fc).
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "options/option_table.h"
#include "server/openai_response.h"
#include "server/option_fields.h"
#include "server/routes.h"
#include "server/transcription.h"
#include "tokenizer/languages.h"
#include "transcribe/transcribe_options.h"
#include "vad/vad_options.h"
#include "whisper_s4y/output.h"

namespace whisper_s4y::server {
namespace {

// Below it a language is not worth telling.
constexpr float kLeastProbability = 0.001F;

struct InferenceRequest {
  TranscriptionJob job;
  std::string format = "json";
  bool has_times = true;
  bool detect_only = false;
  bool language_probabilities = true;
};

std::optional<double> number(const Form& form, std::string_view name) {
  const auto text = form.find(name);
  if (!text) return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc() || end != text->data() + text->size() || !std::isfinite(value)) {
    throw ApiError(400, fmt::format("{} must be a number, not \"{}\".", name, one_line(*text)),
                   std::string(name));
  }
  return value;
}

bool flag(const Form& form, std::string_view name, bool usual = false) {
  const auto text = form.find(name);
  return text ? is_true(*text, name) : usual;
}

void set_temperatures(const Form& form, TranscribeOptions& options) {
  const double first = number(form, "temperature").value_or(0.0);
  const double step = number(form, "temperature_inc").value_or(0.2);
  if (first < 0 || first > 1 || (step != 0 && step < 0.01)) {
    throw ApiError(400, "temperature must be from 0 to 1, temperature_inc 0 or at least 0.01.",
                   "temperature");
  }
  options.temperatures = {static_cast<float>(first)};
  for (int i = 1; step > 0 && first + i * step <= 1 + 1e-6; ++i) {
    options.temperatures.push_back(static_cast<float>(first + i * step));
  }
}

// Milliseconds here.
void set_clip(const Form& form, TranscribeOptions& options) {
  const double begin = number(form, "offset_t").value_or(0) / 1000;
  const double length = number(form, "duration").value_or(0) / 1000;
  if (begin < 0 || length < 0) {
    throw ApiError(400, "offset_t and duration must not be negative.", "offset_t");
  }
  if (begin > 0 || length > 0) options.clip_timestamps = {begin};
  if (length > 0) options.clip_timestamps.push_back(begin + length);
}

void set_vad(const Form& form, TranscribeOptions& options) {
  options.vad_filter = flag(form, "vad");
  if (!options.vad_filter) return;
  VadOptions vad;
  constexpr std::pair<std::string_view, std::string_view> kNames[] = {
      {"vad_threshold", "threshold"},
      {"vad_min_speech_duration_ms", "min_speech_duration_ms"},
      {"vad_min_silence_duration_ms", "min_silence_duration_ms"},
      {"vad_max_speech_duration_s", "max_speech_duration_s"},
      {"vad_speech_pad_ms", "speech_pad_ms"},
  };
  for (const auto& [theirs, ours] : kNames) {
    set_field_text(form, theirs, option_table<VadOptions>(), &vad, ours);
  }
  options.vad_options = vad;
}

InferenceRequest inference_request(const Form& form, const ModelStore& models) {
  if (!form.file) throw ApiError(400, "no 'file' field in the request", "file");
  InferenceRequest request;
  request.job.model = models.main();
  request.format = form.find("response_format").value_or("json");
  request.has_times = !flag(form, "no_timestamps");
  request.detect_only = flag(form, "detect_language");
  request.language_probabilities = !flag(form, "no_language_probabilities");

  TranscribeOptions& options = request.job.options;
  const OptionTable& table = option_table<TranscribeOptions>();
  constexpr std::pair<std::string_view, std::string_view> kNames[] = {
      {"language", "language"},
      {"prompt", "initial_prompt"},
      {"carry_initial_prompt", "carry_initial_prompt"},
      {"best_of", "best_of"},
      {"logprob_thold", "logprob_threshold"},
      {"no_speech_thold", "no_speech_threshold"},
      {"no_timestamps", "without_timestamps"},
  };
  for (const auto& [theirs, ours] : kNames) set_field_text(form, theirs, table, &options, ours);
  // -1 is greedy there.
  if (const auto beams = number(form, "beam_size"); beams && *beams >= 1) {
    set_field_text(form, "beam_size", table, &options, "beam_size");
  }
  if (flag(form, "translate")) options.task = "translate";
  if (number(form, "max_context").value_or(-1) == 0) options.condition_on_previous_text = false;
  options.word_timestamps =
      flag(form, "token_timestamps", request.format == "verbose_json" && request.has_times);
  set_temperatures(form, options);
  set_clip(form, options);
  set_vad(form, options);
  about_field("", [&] { options.validate(); });
  return request;
}

// A line for each segment.
std::string lines_of(const Transcript& transcript) {
  std::string lines;
  for (const Segment& segment : transcript.segments) lines += segment.text + '\n';
  return lines;
}

Json words_of(const Segment& segment) {
  Json words = Json::array();
  for (const Word& word : segment.words) {
    words.push_back({{"word", word.word},
                     {"start", word.start},
                     {"end", word.end},
                     {"t_dtw", -1},
                     {"probability", word.probability}});
  }
  return words;
}

void add_languages(const Transcription& transcription, bool all, Json& json) {
  if (transcription.languages.empty()) return;
  const auto& [code, probability] = transcription.languages.front();
  json["detected_language"] = language_name(code);
  json["detected_language_probability"] = probability;
  if (!all) return;
  Json& probabilities = json["language_probabilities"] = Json::object();
  for (const auto& [one, share] : transcription.languages) {
    if (share > kLeastProbability) probabilities[one] = share;
  }
}

Json verbose(const Transcription& transcription, const InferenceRequest& request) {
  const Transcript& transcript = transcription.transcript;
  Json json;
  json["task"] = request.job.options.task;
  json["language"] = language_name(transcript.language);
  json["duration"] = transcript.duration;
  json["text"] = lines_of(transcript);
  json["segments"] = Json::array();
  for (const Segment& segment : transcript.segments) {
    Json one = {{"id", segment.id}, {"text", segment.text}};
    if (request.has_times) {
      one["start"] = segment.start;
      one["end"] = segment.end;
    }
    one["tokens"] = segment.tokens;
    if (!segment.words.empty()) one["words"] = words_of(segment);
    one["temperature"] = segment.temperature;
    one["avg_logprob"] = segment.avg_logprob;
    one["no_speech_prob"] = segment.no_speech_prob;
    json["segments"].push_back(std::move(one));
  }
  add_languages(transcription, request.language_probabilities, json);
  return json;
}

ResponseBody response(const Transcription& transcription, const InferenceRequest& request) {
  const Transcript& transcript = transcription.transcript;
  if (request.format == "text") return {"text/html; charset=utf-8", lines_of(transcript)};
  if (request.format == "srt") {
    return {"application/x-subrip", format_transcript(transcript, OutputFormat::srt)};
  }
  if (request.format == "vtt") {
    return {"text/vtt; charset=utf-8", format_transcript(transcript, OutputFormat::vtt)};
  }
  if (request.format == "verbose_json") {
    return {"application/json", json_text(verbose(transcription, request))};
  }
  // As there, whatever else is asked for is json.
  return {"application/json", json_text(Json{{"text", lines_of(transcript)}})};
}

// {"error": message}, with the status it has elsewhere.
template <typename Body>
void answering_errors(Exchange& exchange, Body&& body) {
  try {
    try {
      std::forward<Body>(body)();
    } catch (const Error& error) {
      throw api_error_of(error);
    }
  } catch (const ApiError& error) {
    exchange.answer(error, json_text(Json{{"error", error.what()}}));
  }
}

}  // namespace

void handle_inference(Exchange& exchange, Services& services) {
  answering_errors(exchange, [&] {
    services.queue.check_room();
    const Form form = read_form(exchange, services);
    const WorkQueue::Ticket ticket = services.queue.admit();
    const InferenceRequest request = inference_request(form, services.models);
    const Transcription transcription =
        transcribe(exchange, services, form, form.file, request.job);
    const ResponseBody body = response(transcription, request);
    exchange.answer(200, body.content_type, body.text);
  });
}

void handle_load(Exchange& exchange, Services& services) {
  answering_errors(exchange, [&] {
    const Form form = read_form(exchange, services);
    const auto model = form.find("model");
    if (!model) throw ApiError(400, "no 'model' field in the request", "model");
    services.models.make_main(*model, services.options.allow_load);
    exchange.answer_json(R"({"status":"ok"})");
  });
}

}  // namespace whisper_s4y::server
