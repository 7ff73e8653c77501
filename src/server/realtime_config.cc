#include "server/realtime_config.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "common/fail.h"
#include "server/api_error.h"
#include "tokenizer/languages.h"

namespace whisper_s4y::server {
namespace {

using Coding = RawAudioFormat::Coding;

constexpr int kPcmRate = 24'000;
constexpr int kG711Rate = 8'000;
constexpr std::string_view kLogprobs = "item.input_audio_transcription.logprobs";

struct FormatNames {
  const char* nested;
  const char* flat;
  RawAudioFormat format;
};
constexpr std::array<FormatNames, 3> kFormats = {{
    {"audio/pcm", "pcm16", {Coding::pcm16, kPcmRate, 1}},
    {"audio/pcmu", "g711_ulaw", {Coding::mu_law, kG711Rate, 1}},
    {"audio/pcma", "g711_alaw", {Coding::a_law, kG711Rate, 1}},
}};

/// An object of the session with its path, by which a client is told what is wrong.
class Fields {
 public:
  Fields(const Json& json, std::string path) : json_(json), path_(std::move(path)) {
    if (!json_.is_object()) refuse("an object");
  }

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string path(const char* name) const { return path_ + "." + name; }
  /// Null when there is none.
  [[nodiscard]] const Json* find(const char* name) const {
    const auto found = json_.find(name);
    return found == json_.end() ? nullptr : &*found;
  }
  /// Nothing when it is missing or null.
  [[nodiscard]] std::optional<Fields> object(const char* name) const {
    const Json* json = find(name);
    if (json == nullptr || json->is_null()) return std::nullopt;
    return Fields(*json, path(name));
  }
  /// Nothing when it is missing; null is "".
  [[nodiscard]] std::optional<std::string> text(const char* name) const {
    const Json* json = find(name);
    if (json == nullptr) return std::nullopt;
    if (json->is_null()) return "";
    if (!json->is_string()) refuse(name, "a text");
    return json->get<std::string>();
  }
  [[nodiscard]] std::optional<std::vector<std::string>> texts(const char* name) const {
    const Json* json = find(name);
    if (json == nullptr) return std::nullopt;
    std::vector<std::string> result;
    if (json->is_null()) return result;
    if (!json->is_array()) refuse(name, "a list of texts");
    for (const Json& element : *json) {
      if (!element.is_string()) refuse(name, "a list of texts");
      result.push_back(element.get<std::string>());
    }
    return result;
  }
  /// Nothing when it is missing or null.
  template <typename T>
  [[nodiscard]] std::optional<T> number(const char* name, T least, T most) const {
    const Json* json = find(name);
    if (json == nullptr || json->is_null()) return std::nullopt;
    const bool fits = std::is_integral_v<T> ? json->is_number_integer() : json->is_number();
    if (!fits || !(json->get<double>() >= static_cast<double>(least) &&
                   json->get<double>() <= static_cast<double>(most))) {
      refuse(name, fmt::format("{} from {} to {}",
                               std::is_integral_v<T> ? "a whole number" : "a number", least, most));
    }
    return json->get<T>();
  }

  [[noreturn]] void refuse(const char* name, std::string_view expected) const {
    throw ApiError(400, fmt::format("`{}` must be {}.", path(name), expected), path(name),
                   "invalid_value");
  }
  [[noreturn]] void refuse(std::string_view expected) const {
    throw ApiError(400, fmt::format("`{}` must be {}.", path_, expected), path_, "invalid_value");
  }

 private:
  const Json& json_;
  std::string path_;
};

// {"type": "audio/pcm", "rate": 24000}
void set_format(const Fields& format, RealtimeConfig& config) {
  const auto type = format.text("type");
  if (!type) format.refuse("type", "audio/pcm, audio/pcmu or audio/pcma");
  const auto found = std::ranges::find_if(
      kFormats, [&](const FormatNames& names) { return *type == names.nested; });
  if (found == kFormats.end()) format.refuse("type", "audio/pcm, audio/pcmu or audio/pcma");
  const int rate = found->format.sample_rate;
  if (format.number("rate", 0, 1'000'000).value_or(rate) != rate) {
    format.refuse("rate", fmt::format("{} for {}", rate, found->nested));
  }
  config.format = found->format;
}

void set_flat_format(const Fields& session, RealtimeConfig& config) {
  const auto name = session.text("input_audio_format");
  if (!name) return;
  const auto found =
      std::ranges::find_if(kFormats, [&](const FormatNames& names) { return *name == names.flat; });
  if (found == kFormats.end()) {
    session.refuse("input_audio_format", "pcm16, g711_ulaw or g711_alaw");
  }
  config.format = found->format;
}

std::string code_of(const Fields& fields, const char* name, const std::string& language) {
  try {
    return std::string(language_code(language));
  } catch (const Error&) {
    fields.refuse(name, fmt::format("a language by code or name, not \"{}\"", one_line(language)));
  }
}

void check_model_knows(const Fields& fields, const char* name, const RealtimeConfig& config,
                       const std::string& code) {
  const std::vector<std::string>& known = config.model->open()->info().languages;
  if (std::ranges::find(known, code) != known.end() || (known.empty() && code == "en")) return;
  fields.refuse(name, fmt::format("a language that {} knows, not {}", config.model->name(), code));
}

void set_transcription(const Fields& transcription, RealtimeConfig& config,
                       const ModelStore& models) {
  if (const auto model = transcription.text("model"); model && !model->empty()) {
    try {
      config.model = models.find(*model);
    } catch (const ApiError& error) {
      throw ApiError(error.status(), error.what(), transcription.path("model"), error.code());
    }
    config.model_name = *model;
  }
  if (const auto language = transcription.text("language")) {
    config.language.reset();
    if (!language->empty()) config.language = code_of(transcription, "language", *language);
  }
  if (config.language) check_model_knows(transcription, "language", config, *config.language);
  if (const auto languages = transcription.texts("languages")) {
    config.languages.clear();
    for (const std::string& language : *languages) {
      config.languages.push_back(code_of(transcription, "languages", language));
      check_model_knows(transcription, "languages", config, config.languages.back());
    }
  }
  if (const auto keywords = transcription.texts("keywords")) config.keywords = *keywords;
  if (const auto prompt = transcription.text("prompt")) config.prompt = *prompt;
}

// Null: the client says where turns end.
void set_vad(const Fields& parent, RealtimeConfig& config) {
  constexpr int kMostMs = 10'000;
  constexpr const char* kName = "turn_detection";
  if (parent.find(kName) == nullptr) return;
  const auto fields = parent.object(kName);
  if (!fields) {
    config.vad.reset();
    return;
  }
  if (const auto type = fields->text("type"); type && *type != "server_vad") {
    fields->refuse("type", "server_vad: this server knows no other detection of turns");
  }
  RealtimeConfig::ServerVad vad = config.vad.value_or(RealtimeConfig::ServerVad{});
  vad.threshold = fields->number("threshold", 0.0, 1.0).value_or(vad.threshold);
  vad.prefix_padding_ms =
      fields->number("prefix_padding_ms", 0, kMostMs).value_or(vad.prefix_padding_ms);
  vad.silence_duration_ms =
      fields->number("silence_duration_ms", 0, kMostMs).value_or(vad.silence_duration_ms);
  config.vad = vad;
}

void set_include(const Fields& session, RealtimeConfig& config) {
  const auto names = session.texts("include");
  if (!names) return;
  config.logprobs = false;
  for (const std::string& name : *names) {
    if (name != kLogprobs) session.refuse("include", fmt::format("a list of {}", kLogprobs));
    config.logprobs = true;
  }
}

Json or_null(const std::optional<std::string>& text) { return text ? Json(*text) : Json(); }

Json transcription_of(const RealtimeConfig& config) {
  Json json = {{"model", config.model_name},
               {"language", or_null(config.language)},
               {"prompt", config.prompt}};
  if (!config.languages.empty()) json["languages"] = config.languages;
  if (!config.keywords.empty()) json["keywords"] = config.keywords;
  return json;
}

Json vad_of(const RealtimeConfig& config) {
  if (!config.vad) return nullptr;
  return {{"type", "server_vad"},
          {"threshold", config.vad->threshold},
          {"prefix_padding_ms", config.vad->prefix_padding_ms},
          {"silence_duration_ms", config.vad->silence_duration_ms}};
}

const FormatNames& names_of(const RawAudioFormat& format) {
  return *std::ranges::find(kFormats, format, &FormatNames::format);
}

}  // namespace

LiveOptions RealtimeConfig::live_options() const {
  LiveOptions options;
  options.transcribe.language = language;
  options.transcribe.languages = languages;
  options.transcribe.initial_prompt = prompt;
  options.transcribe.hotwords = fmt::format("{}", fmt::join(keywords, ", "));
  if (vad) {
    options.vad.threshold = vad->threshold;
    options.vad.speech_pad_ms = vad->prefix_padding_ms;
    options.vad.min_silence_duration_ms = vad->silence_duration_ms;
  }
  return options;
}

RealtimeConfig updated(const RealtimeConfig& before, const Json& session, SessionShape shape,
                       const ModelStore& models) {
  RealtimeConfig config = before;
  const Fields fields(session, "session");
  if (shape == SessionShape::flat) {
    set_flat_format(fields, config);
    if (const auto transcription = fields.object("input_audio_transcription")) {
      set_transcription(*transcription, config, models);
    }
    set_vad(fields, config);
  } else {
    if (const auto type = fields.text("type"); type && *type != "transcription") {
      fields.refuse("type", "transcription: this server does not converse");
    }
    const auto audio = fields.object("audio");
    const auto input = audio ? audio->object("input") : std::nullopt;
    if (input) {
      if (const auto format = input->object("format")) set_format(*format, config);
      if (const auto transcription = input->object("transcription")) {
        set_transcription(*transcription, config, models);
      }
      set_vad(*input, config);
    }
  }
  set_include(fields, config);
  try {
    config.live_options().validate();
  } catch (const Error& error) {
    throw ApiError(400, error.what(), "session");
  }
  return config;
}

Json to_json(const RealtimeConfig& config, const std::string& id, SessionShape shape) {
  Json json = {{"id", id}, {"object", "realtime.transcription_session"}};
  const Json include = config.logprobs ? Json::array({std::string(kLogprobs)}) : Json::array();
  if (shape == SessionShape::flat) {
    json["input_audio_format"] = names_of(config.format).flat;
    json["input_audio_transcription"] = transcription_of(config);
    json["turn_detection"] = vad_of(config);
  } else {
    json["type"] = "transcription";
    Json format = {{"type", names_of(config.format).nested}};
    if (config.format.coding == Coding::pcm16) format["rate"] = kPcmRate;
    json["audio"]["input"] = {{"format", std::move(format)},
                              {"transcription", transcription_of(config)},
                              {"noise_reduction", nullptr},
                              {"turn_detection", vad_of(config)}};
  }
  json["include"] = include;
  return json;
}

}  // namespace whisper_s4y::server
