// The decoding options of the command line.
#pragma once

#include "whisper_s4y/output.h"
#include "whisper_s4y/transcriber.h"

namespace CLI {
class App;
}

namespace whisper_s4y {

/// TranscribeOptions as they are typed: the temperatures are a beginning and a step.
struct TranscribeFlags {
  TranscribeOptions options;
  float temperature = 0.0F;
  float temperature_increment_on_fallback = 0.2F;  // 0: no fallback

  /// The options with the temperatures filled in. Throws Error when these make no sense.
  [[nodiscard]] TranscribeOptions finished() const;
};

/// Adds an option for each field of TranscribeOptions that a user may want to set. `flags` outlives
/// the command.
void add_transcribe_options(CLI::App& command, TranscribeFlags& flags);

/// Adds the options of the subtitles' layout.
void add_layout_options(CLI::App& command, OutputOptions& options);

}  // namespace whisper_s4y
