#include "server/openai_response.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "common/utf8.h"
#include "options/option_table.h"
#include "tokenizer/languages.h"

namespace whisper_s4y::server {
namespace {

// With the digits that tell it from its neighbours, not those of a double.
Json number(float value) {
  Json json;
  options_detail::get_field(value, json);
  return json;
}

// Milliseconds: more digits are noise.
double rounded(double seconds) { return std::round(seconds * 1000) / 1000; }

Json to_json(const Word& word) {
  return {{"word", trimmed(word.word)}, {"start", rounded(word.start)}, {"end", rounded(word.end)}};
}

Json to_json(const Segment& segment) {
  Json json;
  json["id"] = segment.id;
  json["seek"] = segment.seek;
  json["start"] = rounded(segment.start);
  json["end"] = rounded(segment.end);
  json["text"] = segment.text;
  json["tokens"] = segment.tokens;
  json["temperature"] = number(segment.temperature);
  json["avg_logprob"] = number(segment.avg_logprob);
  json["compression_ratio"] = number(segment.compression_ratio);
  json["no_speech_prob"] = number(segment.no_speech_prob);
  return json;
}

Json words_of(const Segment& segment) {
  Json words = Json::array();
  for (const Word& word : segment.words) words.push_back(to_json(word));
  return words;
}

Json brief(const Transcription& transcription, const OpenAiRequest& request) {
  const Transcript& transcript = transcription.transcript;
  Json json;
  json["text"] = trimmed(transcript.text);
  if (request.logprobs) {
    json["logprobs"] = Json::array();
    for (const Segment& segment : transcript.segments) {
      for (Json& entry : logprobs_of(segment, *transcription.model)) {
        json["logprobs"].push_back(std::move(entry));
      }
    }
  }
  json["usage"] = usage_of(transcript.duration);
  return json;
}

}  // namespace

Json verbose_json(const Transcript& transcript, const OpenAiRequest& request) {
  Json json;
  json["task"] = request.job.options.task;
  json["language"] =
      request.job.options.task == "translate" ? "english" : language_name(transcript.language);
  json["duration"] = rounded(transcript.duration);
  json["text"] = trimmed(transcript.text);
  if (request.words) {
    json["words"] = Json::array();
    for (const Segment& segment : transcript.segments) {
      for (Json& word : words_of(segment)) json["words"].push_back(std::move(word));
    }
  }
  if (request.segments) {
    json["segments"] = Json::array();
    for (const Segment& segment : transcript.segments) json["segments"].push_back(to_json(segment));
  }
  json["usage"] = usage_of(transcript.duration);
  if (!transcript.warnings.empty()) json["warnings"] = transcript.warnings;
  for (const OutputFormat format : request.formats) {
    json["formats"][std::string(name_of(format))] =
        format_transcript(transcript, format, request.layout);
  }
  return json;
}

Json segment_event(const Segment& segment, const OpenAiRequest& request) {
  Json event = {{"type", "transcript.text.segment"},
                {"id", segment.id},
                {"start", rounded(segment.start)},
                {"end", rounded(segment.end)},
                {"text", segment.text}};
  if (request.words) event["words"] = words_of(segment);
  return event;
}

Json logprobs_of(const Segment& segment, const Model& model) {
  Json list = Json::array();
  const int first_special = model.info().generation.eos_token_id;
  for (size_t i = 0; i < segment.tokens.size() && i < segment.token_logprobs.size(); ++i) {
    const int token = segment.tokens[i];
    if (token >= first_special) continue;
    const std::string bytes = model.detokenize(Span<const int>(&token, 1), {.keep_bytes = true});
    Json numbers = Json::array();
    for (const char byte : bytes) numbers.push_back(static_cast<unsigned char>(byte));
    list.push_back({{"token", valid_utf8(bytes)},
                    {"bytes", std::move(numbers)},
                    {"logprob", number(segment.token_logprobs[i])}});
  }
  return list;
}

Json usage_of(double seconds) {
  return {{"type", "duration"}, {"seconds", static_cast<int64_t>(std::ceil(seconds))}};
}

ResponseBody openai_response(const Transcription& transcription, const OpenAiRequest& request) {
  const Transcript& transcript = transcription.transcript;
  switch (request.format) {
    case ResponseFormat::text:
      return {"text/plain; charset=utf-8", std::string(trimmed(transcript.text)) + "\n"};
    case ResponseFormat::srt:
      return {"application/x-subrip; charset=utf-8",
              format_transcript(transcript, OutputFormat::srt, request.layout)};
    case ResponseFormat::vtt:
      return {"text/vtt; charset=utf-8",
              format_transcript(transcript, OutputFormat::vtt, request.layout)};
    case ResponseFormat::verbose_json:
      return {"application/json", json_text(verbose_json(transcript, request))};
    case ResponseFormat::json:
      break;
  }
  return {"application/json", json_text(brief(transcription, request))};
}

std::string Deltas::add(const std::string& text) {
  const std::string_view all = text;
  const std::string_view words = trimmed(all);
  if (words.empty()) {
    if (has_begun_) space_ += all;
    return {};
  }
  const auto before = static_cast<size_t>(words.data() - all.data());
  std::string delta;
  if (has_begun_) delta = space_ + std::string(all.substr(0, before));
  delta += words;
  space_ = all.substr(before + words.size());
  has_begun_ = true;
  return delta;
}

}  // namespace whisper_s4y::server
