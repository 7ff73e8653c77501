// The decoding options of the command line.
#pragma once

#include <optional>

#include "options/option.h"
#include "whisper_s4y/transcriber.h"

namespace whisper_s4y {

/// TranscribeOptions as they are typed: the temperatures are a beginning and a step, and batches
/// are as large as there are threads.
struct TranscribeFlags {
  TranscribeOptions options;
  float temperature = 0.0F;
  float temperature_increment_on_fallback = 0.2F;  // 0: no fallback
  bool batched = false;
  std::optional<int> batch_size;  // nothing: one window for each thread

  /// The options for a model that runs on `threads` (0: all cores). Throws
  /// OptionError when they make no sense.
  [[nodiscard]] TranscribeOptions finished(int threads) const;
};

template <>
const OptionTable& option_table<TranscribeFlags>();

}  // namespace whisper_s4y
