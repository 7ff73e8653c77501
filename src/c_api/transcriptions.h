// What the calls that transcribe share.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "whisper_s4y/audio.h"
#include "whisper_s4y/transcriber.h"

namespace whisper_s4y::c_api {

/// [["en", 0.98], ...]
[[nodiscard]] std::string languages_json(
    const std::vector<std::pair<std::string, float>>& languages);

/// All channels that the reader gives out, as one transcript.
[[nodiscard]] Transcript transcribe_channels(Transcriber& transcriber, AudioReader& reader,
                                             const TranscribeOptions& options,
                                             const TranscribeCallbacks& callbacks);

}  // namespace whisper_s4y::c_api
