// Options behind C's handle.
#pragma once

#include <memory>
#include <string_view>

#include "c_api/boundary.h"
#include "options/option_table.h"

/// A struct of options and its table.
struct whisper_s4y_options {
  whisper_s4y_options_kind kind;
  const whisper_s4y::OptionTable& table;
  std::shared_ptr<void> values;
};

namespace whisper_s4y::c_api {

template <typename Options>
constexpr whisper_s4y_options_kind kind_of();

/// The options behind a handle, the defaults for NULL. Throws Error when they are of another kind.
[[nodiscard]] const void* values_of(const whisper_s4y_options* options,
                                    whisper_s4y_options_kind kind, std::string_view name);

template <typename Options>
Options options_of(const whisper_s4y_options* options, std::string_view name) {
  if (options == nullptr) return {};
  return *static_cast<const Options*>(values_of(options, kind_of<Options>(), name));
}

}  // namespace whisper_s4y::c_api

#include "audio/audio_options.h"
#include "conversion/convert_options.h"
#include "output/output_options.h"
#include "runtime/runtime_options.h"
#include "transcribe/transcribe_options.h"
#include "vad/vad_options.h"

namespace whisper_s4y::c_api {

template <>
constexpr whisper_s4y_options_kind kind_of<TranscribeOptions>() {
  return WHISPER_S4Y_TRANSCRIBE_OPTIONS;
}
template <>
constexpr whisper_s4y_options_kind kind_of<VadOptions>() {
  return WHISPER_S4Y_VAD_OPTIONS;
}
template <>
constexpr whisper_s4y_options_kind kind_of<LiveOptions>() {
  return WHISPER_S4Y_LIVE_OPTIONS;
}
template <>
constexpr whisper_s4y_options_kind kind_of<OutputOptions>() {
  return WHISPER_S4Y_OUTPUT_OPTIONS;
}
template <>
constexpr whisper_s4y_options_kind kind_of<AudioOptions>() {
  return WHISPER_S4Y_AUDIO_OPTIONS;
}
template <>
constexpr whisper_s4y_options_kind kind_of<RuntimeOptions>() {
  return WHISPER_S4Y_RUNTIME_OPTIONS;
}
template <>
constexpr whisper_s4y_options_kind kind_of<ConvertOptions>() {
  return WHISPER_S4Y_CONVERT_OPTIONS;
}

}  // namespace whisper_s4y::c_api
