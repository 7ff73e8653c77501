// How recordings are read, for commands that take one sound of each.
#pragma once

#include "whisper_s4y/audio.h"

namespace CLI {
class App;
}

namespace whisper_s4y {

/// Adds --audio-track and --channel, which cannot be "each". `options` outlives the command.
void add_one_channel_flags(CLI::App& command, AudioOptions& options);

}  // namespace whisper_s4y
