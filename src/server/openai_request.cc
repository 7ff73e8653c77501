#include "server/openai_request.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "audio/audio_options.h"
#include "common/parse_json.h"
#include "options/option_table.h"
#include "output/output_options.h"
#include "server/option_fields.h"
#include "transcribe/transcribe_options.h"

namespace whisper_s4y::server {
namespace {

// Set by fields of OpenAI's, or not for clients to choose.
constexpr std::array<std::string_view, 4> kNotFields = {"task", "temperatures", "batch_size",
                                                        "vad_options"};

constexpr std::array<std::pair<std::string_view, ResponseFormat>, 5> kFormats = {{
    {"json", ResponseFormat::json},
    {"text", ResponseFormat::text},
    {"srt", ResponseFormat::srt},
    {"vtt", ResponseFormat::vtt},
    {"verbose_json", ResponseFormat::verbose_json},
}};

ResponseFormat response_format(const Form& form) {
  const std::string name = form.find("response_format").value_or("json");
  if (name == "diarized_json") {
    throw ApiError(400,
                   "This server does not tell speakers apart: `response_format` cannot be "
                   "diarized_json.",
                   "response_format", "unsupported_value");
  }
  const auto found = std::ranges::find(kFormats, name, &decltype(kFormats)::value_type::first);
  if (found == kFormats.end()) {
    throw ApiError(400,
                   fmt::format("`response_format` must be json, text, srt, vtt or verbose_json, "
                               "not \"{}\".",
                               one_line(name)),
                   "response_format", "unsupported_value");
  }
  return found->second;
}

// 0 tries higher ones by itself, another is used as it is.
void set_temperature(const Form& form, TranscribeOptions& options) {
  const auto text = form.find("temperature");
  if (!text) return;
  float value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  const bool is_number = error == std::errc() && end == text->data() + text->size();
  if (!is_number || !(value >= 0 && value <= 1)) {
    throw ApiError(
        400,
        fmt::format("`temperature` must be a number from 0 to 1, not \"{}\".", one_line(*text)),
        "temperature");
  }
  if (value > 0) options.temperatures = {value};
}

// An object as a field, {"a": 1}, or as OpenAI's own clients send it, in fields like name[a].
std::optional<std::string> object_field(const Form& form, std::string_view name) {
  if (auto text = form.find(name)) return text;
  Json object;
  for (const auto& [key, value] : form.fields) {
    if (!key.starts_with(name) || key.size() < name.size() + 3) continue;
    const std::string_view rest = std::string_view(key).substr(name.size());
    if (!rest.starts_with('[') || !rest.ends_with(']')) continue;
    const std::string inner(rest.substr(1, rest.size() - 2));
    about_field(name, [&, &value = value] {
      const auto json = parse_json<Json>(value, "The field", {}, ErrorCode::invalid_argument);
      object[inner] = json.is_number() ? json : Json(value);
    });
  }
  return object.is_null() ? std::nullopt : std::optional(json_text(object));
}

// "auto", or an object like {"type": "server_vad", "threshold": 0.5}.
void set_chunking(const Form& form, TranscribeOptions& options) {
  constexpr std::string_view kField = "chunking_strategy";
  const auto text = object_field(form, kField);
  if (!text) return;
  options.vad_filter = true;
  if (*text == "auto") return;
  about_field(kField, [&] {
    const Json chunking = json_of_options(*text);
    const Json type = chunking.is_object() ? chunking.value("type", Json()) : Json();
    if (type != "server_vad") {
      throw ApiError(400, "`chunking_strategy` must be \"auto\" or have the type \"server_vad\".",
                     std::string(kField));
    }
    constexpr std::array<std::pair<const char*, std::string_view>, 3> kNames = {{
        {"threshold", "threshold"},
        {"prefix_padding_ms", "speech_pad_ms"},
        {"silence_duration_ms", "min_silence_duration_ms"},
    }};
    VadOptions vad;
    for (const auto& [theirs, ours] : kNames) {
      if (!chunking.contains(theirs)) continue;
      set_row(find_option(option_table<VadOptions>(), ours), &vad, chunking[theirs]);
    }
    options.vad_options = vad;
  });
}

void set_granularities(const Form& form, OpenAiRequest& request) {
  const std::vector<std::string> names = form.all("timestamp_granularities");
  if (names.empty()) return;
  constexpr const char* kField = "timestamp_granularities[]";
  if (request.format != ResponseFormat::verbose_json) {
    throw ApiError(400,
                   "`response_format` must be `verbose_json` if `timestamp_granularities[]` is "
                   "provided.",
                   kField);
  }
  request.segments = false;
  for (const std::string& name : names) {
    if (name == "word") {
      request.words = true;
    } else if (name == "segment") {
      request.segments = true;
    } else {
      throw ApiError(400,
                     fmt::format("`timestamp_granularities[]` must be word or segment, not "
                                 "\"{}\".",
                                 one_line(name)),
                     kField);
    }
  }
  if (request.words) request.job.options.word_timestamps = true;
}

void set_include(const Form& form, OpenAiRequest& request) {
  for (const std::string& name : form.all("include")) {
    if (name != "logprobs") {
      throw ApiError(400, fmt::format("`include[]` must be logprobs, not \"{}\".", one_line(name)),
                     "include[]");
    }
    if (request.format != ResponseFormat::json) {
      throw ApiError(400, "`include[]` needs `response_format` json.", "include[]");
    }
    request.logprobs = true;
  }
}

// A field of ours: the transcript as files of these formats, beside what verbose_json has.
void set_formats(const Form& form, OpenAiRequest& request) {
  constexpr std::string_view kField = "formats";
  const std::vector<std::string> names = form.all(kField);
  if (names.empty()) return;
  if (request.format != ResponseFormat::verbose_json) {
    throw ApiError(400, "`formats` needs `response_format` verbose_json.", std::string(kField));
  }
  about_field(kField,
              [&] { request.formats = output_formats(fmt::format("{}", fmt::join(names, ","))); });
}

void describe(const OptionTable& table, Json& list) {
  const std::shared_ptr<void> defaults = table.make();
  for (const Option& row : table.rows) {
    if (!is_field(row.name.field)) continue;
    Json one = describe_row(row, defaults.get());
    one["group"] = row.details.group;
    list.push_back(std::move(one));
  }
}

}  // namespace

bool is_field(std::string_view option) {
  return std::ranges::find(kNotFields, option) == kNotFields.end();
}

Json describe_fields() {
  Json list = Json::array();
  describe(option_table<TranscribeOptions>(), list);
  describe(option_table<OutputOptions>(), list);
  describe(option_table<AudioOptions>(), list);
  return list;
}

OpenAiRequest openai_request(const Form& form, std::string_view task, const ModelStore& models) {
  if (!form.file) {
    throw ApiError(400, "The form has no recording: send it as the field `file`.", "file",
                   "missing_required_parameter");
  }
  const auto model = form.find("model");
  if (!model) {
    throw ApiError(400, "The form has no `model`.", "model", "missing_required_parameter");
  }
  OpenAiRequest request;
  request.job.model = models.find(*model);
  request.format = response_format(form);

  TranscribeOptions& options = request.job.options;
  set_fields(form, options, kNotFields);
  set_fields(form, request.layout);
  set_fields(form, request.job.audio);
  if (request.job.audio.channel == "each") {
    throw ApiError(400, "`channel` cannot be each here: ask for the channels one by one.",
                   "channel");
  }
  options.task = task;
  set_field_text(form, "prompt", option_table<TranscribeOptions>(), &options, "initial_prompt");
  const std::vector<std::string> keywords = form.all("keywords");
  if (!keywords.empty()) options.hotwords = fmt::format("{}", fmt::join(keywords, ", "));
  set_temperature(form, options);
  set_chunking(form, options);
  set_granularities(form, request);
  set_include(form, request);
  set_formats(form, request);
  if (const auto stream = form.find("stream")) request.stream = is_true(*stream, "stream");
  if (request.stream &&
      (request.format == ResponseFormat::srt || request.format == ResponseFormat::vtt)) {
    throw ApiError(400, "`stream` needs `response_format` json, text or verbose_json.", "stream");
  }
  try {
    options.validate();
    validate(request.layout, options.word_timestamps);
    request.job.audio.validate();
  } catch (const Error& error) {
    throw api_error_of(error);
  }
  return request;
}

}  // namespace whisper_s4y::server
