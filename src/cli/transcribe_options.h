// The decoding options of the command line.
#pragma once

#include "whisper_s4y/output.h"
#include "whisper_s4y/transcriber.h"

namespace CLI {
class App;
}

namespace whisper_s4y {

/// TranscribeOptions as they are typed: the temperatures are a beginning and a step, and the
/// options of voice activity detection stand for themselves.
struct TranscribeFlags {
  TranscribeOptions options;
  float temperature = 0.0F;
  float temperature_increment_on_fallback = 0.2F;  // 0: no fallback
  bool batched = false;
  std::optional<int> batch_size;  // nothing: one window for each thread
  VadOptions vad;
  bool vad_options_given = false;  // false: defaults, which are others for batches

  /// The options for a model that runs on `threads` (0: all cores). Throws
  /// OptionError when they make no sense.
  [[nodiscard]] TranscribeOptions finished(int threads) const;
};

/// Adds an option for each field of TranscribeOptions that a user may want to set. `flags` outlives
/// the command.
void add_transcribe_options(CLI::App& command, TranscribeFlags& flags);

/// Adds only what makes sense while somebody speaks; add_transcribe_options() has these too.
void add_live_options(CLI::App& command, TranscribeFlags& flags);

/// Adds those of voice activity detection and batches.
void add_speech_options(CLI::App& command, TranscribeFlags& flags);

/// Adds the options of the subtitles' layout.
void add_layout_options(CLI::App& command, OutputOptions& options);

}  // namespace whisper_s4y
