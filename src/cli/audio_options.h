// How recordings are read, for all commands that read some.
#pragma once

#include <string>

#include "whisper_s4y/audio.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace whisper_s4y {

/// How many channels of a recording a command can make something of.
enum class Channels { one, each };

/// Adds --audio-track and --channel. `options` outlives the command.
void add_audio_options(CLI::App& command, AudioOptions& options, Channels channels);

/// Adds those of raw PCM.
void add_pcm_options(CLI::App& command, AudioOptions& options);

/// Adds --pcm-format alone.
CLI::Option* add_pcm_format(CLI::App& command, PcmFormat& format, const std::string& description);

}  // namespace whisper_s4y
