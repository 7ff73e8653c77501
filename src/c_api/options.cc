#include "c_api/options.h"

#include <nlohmann/json.hpp>

namespace whisper_s4y::c_api {
namespace {

struct Kind {
  whisper_s4y_options_kind kind;
  std::string_view name;
  const OptionTable& (*table)();
};

template <typename Options>
constexpr Kind kind(std::string_view name) {
  return {kind_of<Options>(), name, &option_table<Options>};
}

constexpr Kind kKinds[] = {
    kind<TranscribeOptions>("TRANSCRIBE_OPTIONS"),
    kind<VadOptions>("VAD_OPTIONS"),
    kind<LiveOptions>("LIVE_OPTIONS"),
    kind<OutputOptions>("OUTPUT_OPTIONS"),
    kind<AudioOptions>("AUDIO_OPTIONS"),
    kind<RuntimeOptions>("RUNTIME_OPTIONS"),
    kind<ConvertOptions>("CONVERT_OPTIONS"),
};

const Kind& find_kind(whisper_s4y_options_kind wanted) {
  for (const Kind& one : kKinds) {
    if (one.kind == wanted) return one;
  }
  fail(ErrorCode::invalid_argument, "There are no options of the kind {}.",
       static_cast<int>(wanted));
}

std::string_view name_of(OptionKind kind) {
  switch (kind) {
    case OptionKind::flag:
      return "boolean";
    case OptionKind::integer:
      return "integer";
    case OptionKind::number:
      return "number";
    case OptionKind::text:
    case OptionKind::choice:
      return "string";
    case OptionKind::integers:
      return "integers";
    case OptionKind::numbers:
      return "numbers";
    case OptionKind::texts:
      return "strings";
    case OptionKind::options:
      return "object";
  }
  return "";
}

Json described(const Option& row, const void* defaults) {
  Json json = {{"name", row.name.field},
               {"type", name_of(row.kind)},
               {"nullable", row.is_nullable},
               {"default", get_row(row, defaults)},
               {"help", row.help}};
  const auto& [least, most] = row.details.bounds;
  if (least != -kNoLimit) json["least"] = least;
  if (most != kNoLimit) json["most"] = most;
  if (!row.details.choices.empty()) json["choices"] = row.details.choices;
  return json;
}

}  // namespace

const void* values_of(const whisper_s4y_options* options, whisper_s4y_options_kind kind,
                      std::string_view name) {
  if (options->kind != kind) {
    fail(ErrorCode::invalid_argument, "{} must be {}, not {}.", name, find_kind(kind).name,
         find_kind(options->kind).name);
  }
  return options->values.get();
}

}  // namespace whisper_s4y::c_api

using namespace whisper_s4y;
using namespace whisper_s4y::c_api;

whisper_s4y_status whisper_s4y_options_create(whisper_s4y_options_kind kind,
                                              whisper_s4y_options** options) {
  return guarded_call([&] {
    needed(options, "options") = nullptr;
    const OptionTable& table = find_kind(kind).table();
    *options = new whisper_s4y_options{kind, table, table.make()};
  });
}

void whisper_s4y_options_destroy(whisper_s4y_options* options) { delete options; }

whisper_s4y_status whisper_s4y_options_set(whisper_s4y_options* options, const char* name,
                                           const char* value) {
  return guarded_call([&] {
    whisper_s4y_options& target = needed(options, "options");
    const std::string option = needed_text(name, "name");
    const std::string text = needed_text(value, "value");
    // A copy first: what fails changes nothing.
    const std::shared_ptr<void> changed = target.table.make();
    set_options(target.table, changed.get(), get_options(target.table, target.values.get()));
    set_option_text(target.table, changed.get(), option, text);
    target.values = changed;
  });
}

whisper_s4y_status whisper_s4y_options_set_json(whisper_s4y_options* options, const char* json) {
  return guarded_call([&] {
    whisper_s4y_options& target = needed(options, "options");
    const std::string text = needed_text(json, "json");
    const std::shared_ptr<void> changed = target.table.make();
    set_options(target.table, changed.get(), get_options(target.table, target.values.get()));
    set_options_json(target.table, changed.get(), text);
    target.values = changed;
  });
}

whisper_s4y_status whisper_s4y_options_get_json(const whisper_s4y_options* options, char** json) {
  return guarded_call([&] {
    needed(json, "json") = nullptr;
    const whisper_s4y_options& source = needed(options, "options");
    *json = copy_text(json_text(get_options(source.table, source.values.get())));
  });
}

whisper_s4y_status whisper_s4y_options_describe(whisper_s4y_options_kind kind, char** json) {
  return guarded_call([&] {
    needed(json, "json") = nullptr;
    const OptionTable& table = find_kind(kind).table();
    const std::shared_ptr<void> defaults = table.make();
    Json rows = Json::array();
    for (const Option& row : table.rows) rows.push_back(described(row, defaults.get()));
    *json = copy_text(json_text(rows));
  });
}
