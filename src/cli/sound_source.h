// Sound as it comes: from a pipe or a microphone.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "whisper_s4y/audio.h"

namespace whisper_s4y {

/// Mono samples at 16 kHz.
class SoundSource {
 public:
  virtual ~SoundSource() = default;
  /// Waits for sound and writes some samples; 0 at the end. Throws Error when reading fails.
  virtual size_t read(std::span<float> samples) = 0;
};

/// Raw PCM, mono at 16 kHz, from standard input. Throws Error when that is a terminal.
[[nodiscard]] std::unique_ptr<SoundSource> open_pipe(PcmFormat format);

/// ALSA's device of this name ("default"). Throws Error when it cannot be opened, or when the
/// program was built without ALSA.
[[nodiscard]] std::unique_ptr<SoundSource> open_microphone(const std::string& device);

}  // namespace whisper_s4y
