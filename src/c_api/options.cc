#include "c_api/options.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace whisper_s4y::c_api {
namespace {

struct Kind {
  whisper_s4y_options_kind kind;
  std::string_view name;
  const OptionTable& (*table)();
};

constexpr Kind kKinds[] = {
    {WHISPER_S4Y_TRANSCRIBE_OPTIONS, "TRANSCRIBE_OPTIONS", &option_table<TranscribeOptions>},
    {WHISPER_S4Y_VAD_OPTIONS, "VAD_OPTIONS", &option_table<VadOptions>},
    {WHISPER_S4Y_LIVE_OPTIONS, "LIVE_OPTIONS", &option_table<LiveOptions>},
    {WHISPER_S4Y_OUTPUT_OPTIONS, "OUTPUT_OPTIONS", &option_table<OutputOptions>},
    {WHISPER_S4Y_AUDIO_OPTIONS, "AUDIO_OPTIONS", &option_table<AudioOptions>},
    {WHISPER_S4Y_RUNTIME_OPTIONS, "RUNTIME_OPTIONS", &option_table<RuntimeOptions>},
    {WHISPER_S4Y_CONVERT_OPTIONS, "CONVERT_OPTIONS", &option_table<ConvertOptions>},
    {WHISPER_S4Y_PULL_OPTIONS, "PULL_OPTIONS", &option_table<PullOptions>},
};

const OptionTable& table_of(whisper_s4y_options_kind wanted) {
  for (const Kind& one : kKinds) {
    if (one.kind == wanted) return one.table();
  }
  fail(ErrorCode::invalid_argument, "There are no options of the kind {}.",
       static_cast<int>(wanted));
}

std::string_view kind_name(const OptionTable& table) {
  const auto* found =
      std::ranges::find_if(kKinds, [&](const Kind& one) { return &one.table() == &table; });
  return found->name;
}

/// Changes a copy first: what fails changes nothing.
template <typename Change>
void change(whisper_s4y_options& options, Change set) {
  const std::shared_ptr<void> changed = options.table.make();
  set_options(options.table, changed.get(), get_options(options.table, options.values.get()));
  set(changed.get());
  options.values = changed;
}

}  // namespace

const void* values_of(const whisper_s4y_options& options, const OptionTable& table,
                      std::string_view name) {
  if (&options.table != &table) {
    fail(ErrorCode::invalid_argument, "{} must be {}, not {}.", name, kind_name(table),
         kind_name(options.table));
  }
  return options.values.get();
}

}  // namespace whisper_s4y::c_api

using namespace whisper_s4y;
using namespace whisper_s4y::c_api;

whisper_s4y_status whisper_s4y_options_create(whisper_s4y_options_kind kind,
                                              whisper_s4y_options** options) {
  return guarded_call([&] {
    needed(options, "options") = nullptr;
    const OptionTable& table = table_of(kind);
    *options = new whisper_s4y_options{table, table.make()};
  });
}

void whisper_s4y_options_destroy(whisper_s4y_options* options) { delete options; }

whisper_s4y_status whisper_s4y_options_set(whisper_s4y_options* options, const char* name,
                                           const char* value) {
  return guarded_call([&] {
    whisper_s4y_options& target = needed(options, "options");
    const std::string option = needed_text(name, "name");
    const std::string text = needed_text(value, "value");
    change(target, [&](void* values) { set_option_text(target.table, values, option, text); });
  });
}

whisper_s4y_status whisper_s4y_options_set_json(whisper_s4y_options* options, const char* json) {
  return guarded_call([&] {
    whisper_s4y_options& target = needed(options, "options");
    const std::string text = needed_text(json, "json");
    change(target, [&](void* values) { set_options_json(target.table, values, text); });
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
    const OptionTable& table = table_of(kind);
    const std::shared_ptr<void> defaults = table.make();
    Json rows = Json::array();
    for (const Option& row : table.rows) rows.push_back(describe_row(row, defaults.get()));
    *json = copy_text(json_text(rows));
  });
}
