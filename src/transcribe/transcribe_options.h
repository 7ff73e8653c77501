// The tables of TranscribeOptions and LiveOptions.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "options/option.h"
#include "vad/vad_options.h"
#include "whisper_s4y/live.h"
#include "whisper_s4y/transcriber.h"

namespace whisper_s4y {

template <>
const OptionTable& option_table<TranscribeOptions>();
template <>
const OptionTable& option_table<LiveOptions>();

/// The code of the language that is asked for, or nothing when it shall be detected. Throws
/// OptionError for what is no language.
[[nodiscard]] std::optional<std::string> wanted_language(const TranscribeOptions& options);
/// The codes of those that may be detected, each once; none: any.
[[nodiscard]] std::vector<std::string> wanted_languages(const TranscribeOptions& options);
/// The seconds of options.audio_context; nothing when it is a word, or no possible number.
[[nodiscard]] std::optional<double> seconds_of_context(const TranscribeOptions& options);

}  // namespace whisper_s4y
